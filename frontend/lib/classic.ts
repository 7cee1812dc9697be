// The JSON of `/ws/chat`, and the only file that knows it. Gives the events that wire.ts has words for, and with each
// line what only this socket tells: its words as tokens, and how the platform is spelled. Reads leniently, as clients of
// earlier servers had to: a message alone or in an envelope, several in a list, several lines in one text.

import { list, maybe, maybeNumber, object, string, time, type Raw } from "./json";
import type { Badge, Cleared, Message, Removed } from "./wire";

/** What the server says between messages; no JSON. */
const KEEPALIVE = "__keepalive__";

/** Names that earlier servers gave to badges of one rank. */
const SAME_BADGE: Record<string, string> = {
  admin: "staff",
  administrator: "staff",
  turbo: "premium",
  prime: "premium",
  primegaming: "premium",
};

export interface Picture {
  url: string;
  width: number;
}

export interface Token {
  type: "text" | "emote" | "colour" | "effect" | "pattern" | "command";
  text: string;
  /** Of an emote: its name, and its picture or none. */
  name: string;
  picture: Picture | null;
}

/** A badge with its picture, where the server has one. */
export type PicturedBadge = Badge & { picture: Picture | null };

export type ClassicLine = Message & {
  /** The platform as these clients have always seen it: `Twitch`. */
  source: string;
  tokens: Token[];
  pictured: PicturedBadge[];
};

export type ClassicFrame =
  | { type: "event"; event: ClassicLine | Removed | Cleared }
  /** What came before was replayed, up to the position; what follows is new. */
  | { type: "live"; epoch: string; position: number; keepalive_ms: number }
  /** History was purged: any line from before may be gone for good. */
  | { type: "reset" };

/** Lines that came without an id, which ours always have. */
let nameless = 0;

/** Reads one socket message: none for a keepalive, what is no JSON, and frames of a newer server. */
export function parseClassic(text: string): ClassicFrame[] {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === KEEPALIVE) return [];
  const whole = json(trimmed);
  if (whole !== undefined) return frames(whole);
  const lines = trimmed.split("\n");
  return lines.length > 1 ? lines.flatMap(parseClassic) : [];
}

export function isClassicLine(event: object): event is ClassicLine {
  return "tokens" in event;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function frames(whole: unknown): ClassicFrame[] {
  if (Array.isArray(whole)) return whole.flatMap(frames);
  const raw = object(whole);
  switch (raw.type) {
    case "chat":
      return typeof raw.data === "string" ? parseClassic(raw.data) : frames(raw.data);
    case "removed":
      return [{ type: "event", event: { ...head(raw, ""), kind: "removed", target: target(raw) } }];
    case "cleared": {
      const duration_s = maybeNumber(raw.duration_s);
      return [{ type: "event", event: { ...head(raw, ""), kind: "cleared", target: { ...target(raw), id: null }, duration_s } }];
    }
    case "live":
      return [live(raw)];
    case "reset":
      return [{ type: "reset" }];
    default: {
      const event = line(raw);
      return event ? [{ type: "event", event }] : [];
    }
  }
}

function live(raw: Raw): ClassicFrame {
  const [epoch = "", position = ""] = string(raw.cursor).split(":");
  return { type: "live", epoch, position: Number(position) || 0, keepalive_ms: maybeNumber(raw.keepalive_ms) ?? 0 };
}

function target(raw: Raw): Removed["target"] {
  return {
    id: maybe(raw.id),
    native_id: maybe(raw.native_id),
    author_id: maybe(raw.author_id),
    author_login: maybe(raw.author_login),
  };
}

/** A message without a source or without anything said is none. */
function line(raw: Raw): ClassicLine | null {
  const text = string(raw.message);
  const source = string(raw.source).trim();
  const said = list(raw.fragments, token);
  if (!source || (!text.trim() && said.length === 0)) return null;
  const pictured = list(raw.badges, badge);
  return {
    ...head(raw, maybe(raw.id) ?? maybe(raw.message_id) ?? `nameless-${++nameless}`),
    kind: "message",
    author: {
      id: maybe(raw.author_id),
      login: string(raw.author_login),
      name: string(raw.author).trim() || "unknown",
      color: color(raw.username_color) ?? color(raw.colour),
      roles: [],
      badges: pictured,
      first: false,
    },
    text,
    fragments: [],
    flags: [],
    money: null,
    bits: 0,
    reply: null,
    source,
    tokens: said.length > 0 ? said : [{ type: "text", text, name: "", picture: null }],
    pictured,
  };
}

function head(raw: Raw, id: string): Omit<Removed, "kind" | "target"> {
  const at = maybeNumber(raw.ts) ?? time(raw.ts);
  const platform = string(raw.source).trim().toLowerCase();
  // Only Twitch's lines say their channel. For the others a platform counts as one, so that a clear hits too much
  // rather than too little.
  const login = platform === "twitch" ? string(raw.source_channel) : "";
  const source_id = maybe(object(raw.shared).source_id);
  return {
    id,
    platform,
    channel: { id: null, login, name: null },
    native_id: maybe(raw.native_id),
    at,
    received_at: at,
    state: "visible",
    shared: source_id ? { source_id } : null,
  };
}

/** A token of an unknown type is shown as its text. */
function token(json: unknown): Token | null {
  const raw = object(json);
  const text = string(raw.text);
  const emote = object(raw.emote);
  switch (raw.type) {
    case "emote":
      return { type: "emote", text, name: string(emote.name) || text, picture: widest(emote.images) };
    case "colour":
    case "effect":
    case "pattern":
    case "command":
      return { type: raw.type, text, name: "", picture: null };
    default:
      return text ? { type: "text", text, name: "", picture: null } : null;
  }
}

function badge(json: unknown): PicturedBadge | null {
  if (typeof json === "string") {
    const [set = "", version = ""] = json.split("/");
    return badge({ id: set, version });
  }
  const raw = object(json);
  const set = string(raw.id).trim();
  if (!set) return null;
  return { set: SAME_BADGE[set] ?? set, version: string(raw.version), title: null, picture: widest(raw.images) };
}

/** The picture with the most pixels. Only what a browser would fetch as one. */
function widest(images: unknown): Picture | null {
  const pictures = list(images, (json): Picture | null => {
    const raw = object(json);
    const url = string(raw.url);
    return /^(https?:\/\/|\/|data:image\/)/i.test(url) ? { url, width: maybeNumber(raw.width) ?? 0 } : null;
  });
  return pictures.sort((one, other) => other.width - one.width)[0] ?? null;
}

function color(json: unknown): string | null {
  return /^#[0-9a-f]{6}$/i.test(string(json)) ? string(json) : null;
}
