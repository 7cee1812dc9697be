// How badges are drawn: our own small shapes, one per rank, so that no picture has to be fetched.

import type { Badge } from "./wire";

export interface BadgeLook {
  /** What it says when asked: `Subscriber, 14 months`. */
  label: string;
  color: string;
  /** An SVG path in a 16 × 16 box, or none: then the letter stands for it. */
  mark: string | null;
  letter: string;
}

const STAR = "M8 2.4l1.7 3.5 3.9.6-2.8 2.7.7 3.9L8 11.2l-3.5 1.9.7-3.9-2.8-2.7 3.9-.6z";
const SHIELD = "M8 2l5 1.9v3.7c0 3.1-2.1 5.3-5 6.4-2.9-1.1-5-3.3-5-6.4V3.9z";
const CHECK = "M6.6 12.2 2.9 8.5l1.5-1.5 2.2 2.2 5-5 1.5 1.5z";
const GEM = "M5 3h6l2.5 3.5L8 13.5 2.5 6.5z";

const LOOKS: Record<string, Pick<BadgeLook, "color" | "mark"> & { label: string }> = {
  broadcaster: { label: "Broadcaster", color: "var(--c-role-owner)", mark: "M2.5 4.5h7v7h-7zM10.5 7l3-2v6l-3-2z" },
  moderator: { label: "Moderator", color: "var(--c-role-mod)", mark: SHIELD },
  lead_moderator: { label: "Lead moderator", color: "var(--c-role-mod)", mark: SHIELD },
  vip: { label: "VIP", color: "var(--c-role-vip)", mark: GEM },
  subscriber: { label: "Subscriber", color: "var(--c-role-sub)", mark: STAR },
  founder: { label: "Founder", color: "var(--c-role-sub)", mark: STAR },
  partner: { label: "Verified", color: "var(--c-info)", mark: CHECK },
  staff: { label: "Staff", color: "var(--c-info)", mark: CHECK },
  premium: { label: "Prime", color: "var(--c-info)", mark: "M2 5l3 2.4L8 3l3 4.4L14 5l-1 7.5H3z" },
  bits: { label: "Bits", color: "var(--c-money-3)", mark: GEM },
};

/** Ranks that other platforms call otherwise, and those that look alike; each keeps its own name. */
const ALIKE: Record<string, string> = {
  owner: "broadcaster",
  member: "subscriber",
  sponsor: "subscriber",
  verified: "partner",
  admin: "staff",
  administrator: "staff",
  turbo: "premium",
  primegaming: "premium",
};

export function badgeLook({ set, version, title }: Badge): BadgeLook {
  const own = LOOKS[set];
  const known = own ?? LOOKS[ALIKE[set] ?? ""];
  const words = set.replace(/[-_]+/g, " ");
  const name = own?.label ?? words.charAt(0).toUpperCase() + words.slice(1);
  return {
    label: detailed(name, set, title ?? (set === "bits" ? version : null)),
    color: known?.color ?? "var(--c-role-bot)",
    mark: known?.mark ?? null,
    letter: name.charAt(0),
  };
}

function detailed(name: string, set: string, detail: string | null): string {
  if (!detail) return name;
  const months = (set === "subscriber" || set === "founder") && /^\d+$/.test(detail);
  if (!months) return `${name}: ${detail}`;
  return `${name}, ${detail} ${detail === "1" ? "month" : "months"}`;
}
