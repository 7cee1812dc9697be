// What the kinds of alerts and chat modes are called and how they look.

import { count, span } from "./words";
import type { Alert, Cleared, Status } from "./wire";

export interface AlertLook {
  word: string;
  color: string;
  /** An SVG path in a 16 × 16 box. */
  mark: string;
}

const STAR = "M8 1.8l1.9 4 4.3.6-3.1 3 .8 4.3L8 11.6l-3.9 2.1.8-4.3-3.1-3 4.3-.6z";
const GIFT = "M2 5h12v3H2zM3 9h4.4v5H3zM8.6 9H13v5H8.6zM8 5C5 5 4 3.8 4.4 2.6 5 1.2 7.4 1.7 8 4c.6-2.3 3-2.8 3.6-1.4C12 3.8 11 5 8 5z";
const RAID = "M2 4l4 4-4 4zM7 4l4 4-4 4zM12 4l3 4-3 4z";
const HORN = "M2 6.2v3.6h2.4L11 13V3L4.4 6.2zM12.2 5.5v5c1.3-.4 2-1.4 2-2.5s-.7-2.1-2-2.5zM4.6 11l1 3.4h1.9l-1-2.5z";
const COIN = "M8 1.6a6.4 6.4 0 1 0 0 12.8A6.4 6.4 0 0 0 8 1.6zM8 4.5 11.2 8 8 11.5 4.8 8z";
const FLAME = "M8.5 1.5c.5 2.5 3.8 3.8 3.8 7.6A4.3 4.3 0 0 1 8 13.9a4.3 4.3 0 0 1-4.3-4.6c0-2 1-3.2 1.9-4.3.2 1 .5 1.6 1.1 2 .8-1.5 1.7-3 1.8-5.5z";

const SUB = { color: "var(--c-role-sub)", mark: STAR };
const GIVEN = { color: "var(--c-role-vip)", mark: GIFT };
const MONEY = { color: "var(--c-money-3)", mark: COIN };
const OTHER = { color: "var(--c-info)", mark: HORN };

const LOOKS: Record<string, AlertLook> = {
  sub: { word: "Subscription", ...SUB },
  resub: { word: "Resubscription", ...SUB },
  gift_upgrade: { word: "Subscription", ...SUB },
  prime_upgrade: { word: "Subscription", ...SUB },
  sub_extend: { word: "Subscription", ...SUB },
  gift: { word: "Gift", ...GIVEN },
  gift_bulk: { word: "Gifts", ...GIVEN },
  pay_forward: { word: "Gift", ...GIVEN },
  reward_gift: { word: "Gift", ...GIVEN },
  prime_gift: { word: "Gift", ...GIVEN },
  raid: { word: "Raid", color: "var(--c-money-5)", mark: RAID },
  unraid: { word: "Raid called off", color: "var(--c-text-dim)", mark: RAID },
  announcement: { word: "Announcement", color: "var(--c-accent)", mark: HORN },
  bits_badge: { word: "Bits badge", ...MONEY },
  charity: { word: "Donation", ...MONEY },
  cheer_cash: { word: "Cheer", ...MONEY },
  watch_streak: { word: "Watch streak", color: "var(--c-money-5)", mark: FLAME },
};

export function alertLook(alert: Alert["alert"]): AlertLook {
  const name = alert.type === "other" && typeof alert.name === "string" ? alert.name : alert.type;
  const words = name.replace(/_/g, " ");
  return LOOKS[alert.type] ?? { word: words.charAt(0).toUpperCase() + words.slice(1), ...OTHER };
}

/** The sentence of an alert: the platform's own, or who and what. An announcement's sentence is what was said. */
export function alertSentence(alert: Alert): string {
  if (alert.system_text) return alert.system_text;
  if (alert.alert.type === "announcement") return "";
  const word = alertLook(alert.alert).word;
  return alert.author ? `${alert.author.name}: ${word.toLowerCase()}` : word;
}

/** `quill was timed out for 10 min` */
export function clearedSentence({ target, duration_s }: Cleared): string {
  if (target.author_id === null && target.author_login === null) return "The chat was cleared";
  const who = target.author_login ?? "Somebody";
  return duration_s === null ? `${who} was banned` : `${who} was timed out for ${span(duration_s * 1_000)}`;
}

const MODES: Record<string, string> = {
  slow: "slow mode",
  slow_s: "slow mode",
  emote_only: "emotes only",
  subs_only: "subscribers only",
  followers_only: "followers only",
  followers_only_min: "followers only",
  unique: "unique messages only",
  r9k: "unique messages only",
};

/** `slow mode (30 s), followers only off` */
export function statusSentence({ topic, values }: Status): string {
  const parts = Object.entries(values).map(([key, value]) => mode(key, value));
  const what = topic === "modes" ? "Chat modes" : topic.charAt(0).toUpperCase() + topic.slice(1).replace(/_/g, " ");
  return parts.length > 0 ? `${what}: ${parts.join(", ")}` : what;
}

function mode(key: string, value: unknown): string {
  const name = MODES[key] ?? key.replace(/_/g, " ");
  const isOff = value === false || value === null || value === -1 || (value === 0 && key.startsWith("slow"));
  if (isOff) return `${name} off`;
  if (value === true || value === 0) return `${name} on`;
  if (typeof value === "number" && key.startsWith("slow")) return `${name} (${value} s)`;
  if (typeof value === "number" && key.startsWith("followers")) return `${name} (${count(value, "minute")})`;
  return `${name} ${typeof value === "object" ? "changed" : String(value)}`;
}
