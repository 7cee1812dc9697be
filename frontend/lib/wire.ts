// The JSON of the feed and of the calls, and the only file that knows it; that of `/ws/chat` is classic.ts. Reads
// leniently: what is missing becomes its empty value, what is unknown passes. It does not decide what is shown.

import { list, maybe, maybeNumber, object, string, time, type Raw } from "./json";

export interface Channel {
  id: string | null;
  login: string;
  name: string | null;
}

export interface Badge {
  set: string;
  version: string;
  title: string | null;
}

export interface Author {
  id: string | null;
  login: string;
  name: string;
  /** The platform's own `#RRGGBB`, or none. */
  color: string | null;
  roles: string[];
  badges: Badge[];
  first: boolean;
}

export type Fragment =
  | { type: "text"; text: string }
  | { type: "emote"; text: string; id: string; name: string; provider: string; animated: boolean; zero_width: boolean }
  | { type: "mention"; text: string; login: string }
  | { type: "link"; text: string; url: string }
  | { type: "cheer"; text: string; prefix: string; bits: number };

export interface Reply {
  native_id: string;
  author: { id: string | null; login: string; name: string };
  text: string;
}

export interface Money {
  amount_micros: number;
  currency: string;
  display: string;
  tier: number | null;
}

export interface Target {
  id: string | null;
  native_id: string | null;
  author_id: string | null;
  /** Named only where the platform gives no id. */
  author_login: string | null;
}

/** What every event has. Times are milliseconds since 1970. */
interface Head {
  id: string;
  platform: string;
  channel: Channel;
  native_id: string | null;
  at: number;
  received_at: number;
  state: "visible" | "removed";
  /** Set on a line of a shared session: its id where it was typed. */
  shared: { source_id: string } | null;
}

interface Said {
  text: string;
  fragments: Fragment[];
  flags: string[];
  money: Money | null;
  bits: number;
}

export type Message = Head & Said & { kind: "message"; author: Author; reply: Reply | null };
export type Alert = Head &
  Said & { kind: "alert"; author: Author | null; alert: { type: string; [param: string]: unknown }; system_text: string };
export type Removed = Head & { kind: "removed"; target: Target };
export type Cleared = Head & { kind: "cleared"; target: Target; duration_s: number | null };
export type Edited = Head & { kind: "edited"; target: Target; text: string; fragments: Fragment[] };
export type Status = Head & { kind: "status"; topic: string; values: Record<string, unknown> };
export type Gap = Head & { kind: "gap"; from: number; to: number; reason: string };
/** A kind from a newer server, under its own `name`. */
export type Other = Head & { kind: "other"; name: string };

export type ChatEvent = Message | Alert | Removed | Cleared | Edited | Status | Gap | Other;

export const SOURCE_STATES = ["connecting", "live", "stalled", "backoff", "auth", "refused", "stopped"] as const;
export type SourceState = (typeof SOURCE_STATES)[number];

export interface Source {
  id: string;
  platform: string;
  login: string;
  source: string;
  url: string;
  name: string | null;
  state: SourceState;
  reason: string | null;
  since: number;
  last_event_at: number | null;
  rate_per_minute: number;
  events: number;
  added_by: string;
}

export interface Session {
  owner: boolean;
  can_read: boolean;
  link_hint: string;
}

export type Frame =
  | { type: "hello"; epoch: string; cursor: string; resumed: boolean }
  | { type: "events"; cursor: string | null; events: ChatEvent[] }
  | { type: "state"; topic: string; data: unknown }
  | { type: "keepalive"; cursor: string | null }
  | { type: "reset" };

/** Reads one socket message; null for what is no frame, or a frame from a newer server. */
export function parseFrame(text: string): Frame | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const frame = object(json);
  switch (frame.type) {
    case "hello":
      return {
        type: "hello",
        epoch: string(frame.epoch),
        cursor: string(frame.cursor),
        resumed: frame.resumed === true,
      };
    case "events":
      return { type: "events", cursor: maybe(frame.cursor), events: list(frame.events, parseEvent) };
    case "state":
      return { type: "state", topic: string(frame.topic), data: frame.data };
    case "keepalive":
      return { type: "keepalive", cursor: maybe(frame.cursor) };
    case "reset":
      return { type: "reset" };
    default:
      return null;
  }
}

/** Reads one event; null for what has no id or no kind. */
export function parseEvent(json: unknown): ChatEvent | null {
  const raw = object(json);
  const id = string(raw.id);
  const kind = string(raw.kind);
  if (!id || !kind) return null;
  const head = parseHead(id, raw);
  switch (kind) {
    case "message":
      return { ...head, kind, ...parseSaid(raw), author: parseAuthor(raw.author), reply: parseReply(raw.reply) };
    case "alert":
      return { ...head, kind, ...parseSaid(raw), ...parseAlert(raw) };
    case "removed":
      return { ...head, kind, target: parseTarget(raw.target) };
    case "cleared":
      return { ...head, kind, target: parseTarget(raw.target), duration_s: maybeNumber(raw.duration_s) };
    case "edited":
      return { ...head, kind, target: parseTarget(raw.target), ...parseText(raw) };
    case "status":
      return { ...head, kind, topic: string(object(raw.status).topic), values: object(object(raw.status).values) };
    case "gap":
      return { ...head, kind, ...parseGap(object(raw.gap)) };
    default:
      return { ...head, kind: "other", name: kind };
  }
}

/** Reads the list that `/api/sources` and the `sources` topic share. */
/** The import of an older file, while there is one. */
export interface Import {
  file: string;
  done: number;
  total: number;
  /** Why it waits, or null while it goes on. */
  reason: string | null;
}

/** Null where there is nothing to import, or nothing left. */
export function parseImport(json: unknown): Import | null {
  const { state, file, done, total, reason } = object(json);
  if (state !== "running" && state !== "waiting") return null;
  const [read, of] = [maybeNumber(done) ?? 0, maybeNumber(total) ?? 0];
  return { file: string(file), done: read, total: Math.max(read, of), reason: state === "waiting" ? string(reason) : null };
}

export function parseSources(json: unknown): Source[] {
  return list(object(json).sources, parseSource);
}

export function parseSource(json: unknown): Source | null {
  const raw = object(json);
  const id = string(raw.id);
  if (!id) return null;
  const state = SOURCE_STATES.find((known) => known === raw.state) ?? "connecting";
  return {
    id,
    platform: string(raw.platform),
    login: string(raw.login),
    source: string(raw.source),
    url: webAddress(raw.url),
    name: maybe(raw.name),
    state,
    reason: maybe(raw.reason),
    since: time(raw.since),
    last_event_at: raw.last_event_at == null ? null : time(raw.last_event_at),
    rate_per_minute: maybeNumber(raw.rate_per_minute) ?? 0,
    events: maybeNumber(raw.events) ?? 0,
    added_by: string(raw.added_by),
  };
}

export function parseSession(json: unknown): Session {
  const raw = object(json);
  return {
    owner: raw.owner === true,
    can_read: raw.can_read !== false,
    link_hint: string(raw.link_hint) || "elora-chat token --link",
  };
}

/** The sentence a problem+json body carries for the reader, or the empty string. */
export function parseProblem(json: unknown): string {
  const raw = object(json);
  return string(raw.detail) || string(raw.title);
}

function parseHead(id: string, raw: Raw): Head {
  const received_at = time(raw.received_at) || time(raw.at);
  const channel = object(raw.channel);
  const source_id = maybe(object(raw.shared).source_id);
  return {
    id,
    platform: string(raw.platform),
    channel: { id: maybe(channel.id), login: string(channel.login), name: maybe(channel.name) },
    native_id: maybe(raw.native_id),
    at: time(raw.at) || received_at,
    received_at,
    state: raw.state === "removed" ? "removed" : "visible",
    shared: source_id ? { source_id } : null,
  };
}

/** A body with text but no fragments is shown as one run of text. */
function parseText(raw: Raw): { text: string; fragments: Fragment[] } {
  const text = string(raw.text);
  const fragments = list(raw.fragments, parseFragment);
  return { text, fragments: fragments.length === 0 && text ? [{ type: "text", text }] : fragments };
}

function parseSaid(raw: Raw): Said {
  return {
    ...parseText(raw),
    flags: list(raw.flags, maybe),
    money: raw.money == null ? null : parseMoney(object(raw.money)),
    bits: maybeNumber(raw.bits) ?? 0,
  };
}

function parseAlert(raw: Raw): Pick<Alert, "author" | "alert" | "system_text"> {
  const alert = object(raw.alert);
  return {
    author: raw.author == null ? null : parseAuthor(raw.author),
    alert: { ...alert, type: string(alert.type) || "other" },
    system_text: string(raw.system_text),
  };
}

function parseAuthor(json: unknown): Author {
  const raw = object(json);
  const login = string(raw.login);
  return {
    id: maybe(raw.id),
    login,
    name: string(raw.name) || login || "unknown",
    color: /^#[0-9a-f]{6}$/i.test(string(raw.color)) ? string(raw.color) : null,
    roles: list(raw.roles, maybe),
    badges: list(raw.badges, parseBadge),
    first: raw.first === true,
  };
}

function parseBadge(json: unknown): Badge | null {
  const raw = object(json);
  const set = string(raw.set);
  return set ? { set, version: string(raw.version), title: maybe(raw.title) } : null;
}

/** A fragment of an unknown type is shown as its text. */
function parseFragment(json: unknown): Fragment | null {
  const raw = object(json);
  const text = string(raw.text);
  switch (raw.type) {
    case "emote":
      return {
        type: "emote",
        text,
        id: string(raw.id),
        name: string(raw.name) || text,
        provider: string(raw.provider),
        animated: raw.animated === true,
        zero_width: raw.zero_width === true,
      };
    case "mention":
      return { type: "mention", text, login: string(raw.login) };
    case "link":
      return webAddress(raw.url) ? { type: "link", text, url: webAddress(raw.url) } : { type: "text", text };
    case "cheer":
      return { type: "cheer", text, prefix: string(raw.prefix), bits: maybeNumber(raw.bits) ?? 0 };
    default:
      return text ? { type: "text", text } : null;
  }
}

function parseReply(json: unknown): Reply | null {
  if (json == null) return null;
  const raw = object(json);
  const author = object(raw.author);
  const login = string(author.login);
  return {
    native_id: string(raw.native_id),
    author: { id: maybe(author.id), login, name: string(author.name) || login },
    text: string(raw.text),
  };
}

function parseMoney(raw: Raw): Money {
  const amount_micros = maybeNumber(raw.amount_micros) ?? 0;
  const currency = string(raw.currency);
  const display = string(raw.display) || `${amount_micros / 1_000_000} ${currency}`;
  return { amount_micros, currency, display, tier: maybeNumber(raw.tier) };
}

function parseTarget(json: unknown): Target {
  const raw = object(json);
  return {
    id: maybe(raw.id),
    native_id: maybe(raw.native_id),
    author_id: maybe(raw.author_id),
    author_login: maybe(raw.author_login),
  };
}

function parseGap(raw: Raw): Pick<Gap, "from" | "to" | "reason"> {
  return { from: time(raw.from), to: time(raw.to), reason: string(raw.reason) };
}

/** Only http and https may become a link: a chat line must not be able to carry `javascript:`. */
function webAddress(json: unknown): string {
  return /^https?:\/\//i.test(string(json)) ? string(json) : "";
}
