// What earlier versions kept in this browser, under the names they gave it: whom a person hides, and how they want the
// page. It is read with care, and only the list of hidden people is ever written.

import { list, maybe, maybeNumber, object } from "../../lib/json";

export const HIDDEN_PEOPLE = "blacklist";
export const SETTINGS = "elora.settings.v2";

export interface Settings {
  showBadges: boolean;
  /** Leaves out the `@` before YouTube names. */
  hideYouTubeAt: boolean;
  pauseChatEnabled: boolean;
  /** Whether a pause ends when the pointer leaves the page. */
  pauseOnMouseLeave: boolean;
  /** Closer to the end than this, scrolling down ends a pause. */
  pauseBottomThresholdPx: number;
  /** A scroll this soon after a wheel, finger or button was made by a person. */
  pauseScrollIntentWindowMs: number;
  /** A pause younger than this is not ended by the pointer. */
  pauseMouseleaveUnpauseCooldownMs: number;
  /** Whether the page begins with what was said before it was opened. */
  fetchHistoryOnLoad: boolean;
}

const USUAL: Settings = {
  showBadges: true,
  hideYouTubeAt: true,
  pauseChatEnabled: true,
  pauseOnMouseLeave: false,
  pauseBottomThresholdPx: 128,
  pauseScrollIntentWindowMs: 2_000,
  pauseMouseleaveUnpauseCooldownMs: 0,
  fetchHistoryOnLoad: false,
};

/** Further from the end than this, or longer, nobody means it. */
const MOST = 60_000;

/** The settings as they were kept; what is missing or makes no sense is as usual. */
export function parseSettings(kept: string | null): Settings {
  const raw = object(parsed(kept));
  const settings: Record<string, unknown> = { ...USUAL };
  for (const [name, usual] of Object.entries(USUAL)) {
    const value = raw[name];
    if (typeof usual === "boolean" && typeof value === "boolean") settings[name] = value;
    const number = maybeNumber(value);
    if (typeof usual === "number" && number !== null && number >= 0) settings[name] = Math.min(number, MOST);
  }
  return settings as unknown as Settings;
}

/** The names of hidden people, spelled as they were shown. */
export function parsePeople(kept: string | null): ReadonlySet<string> {
  return new Set(list(parsed(kept), maybe));
}

/** The list with one more, to be kept; null where something is kept that this page does not understand. */
export function withPerson(kept: string | null, name: string): string | null {
  if (kept === null || kept === "") return JSON.stringify([name]);
  const people = parsed(kept);
  if (!Array.isArray(people)) return null;
  return people.includes(name) ? kept : JSON.stringify([...people, name]);
}

function parsed(kept: string | null): unknown {
  try {
    return JSON.parse(kept ?? "");
  } catch {
    return null;
  }
}
