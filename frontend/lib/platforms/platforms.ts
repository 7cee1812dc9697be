// One entry per platform: how it is called, marked and colored, and where its pictures are.

export interface PlatformLook {
  name: string;
  /** A custom property of theme.css. */
  color: string;
  /** An SVG path in a 16 × 16 box: shape tells platforms apart where color does not. */
  mark: string | null;
}

const LOOKS: Record<string, PlatformLook> = {
  twitch: {
    name: "Twitch",
    color: "var(--c-twitch)",
    mark: "M3.2 1.5 1.8 4.4v8.2h3V14.5h2l1.9-1.9h2.6l3-3V1.5zm1 1.5h8.6v5.9l-2 2H7.9L6 12.7v-1.8H4.2zm2.9 2v3.4h1.3V5zm3.2 0v3.4h1.3V5z",
  },
  youtube: {
    name: "YouTube",
    color: "var(--c-youtube)",
    mark: "M3.6 3h8.8A2.6 2.6 0 0 1 15 5.6v4.8a2.6 2.6 0 0 1-2.6 2.6H3.6A2.6 2.6 0 0 1 1 10.4V5.6A2.6 2.6 0 0 1 3.6 3zm3 2.6v4.8L10.8 8z",
  },
  kick: {
    name: "Kick",
    color: "var(--c-kick)",
    mark: "M2.5 1.8h4v3h1.3V3.3h1.4V1.8h4.3v4h-1.4v1.5h-1.4v1.4h1.4v1.5h1.4v4H9.2v-1.5H7.8v-1.5H6.5v3h-4z",
  },
};

export function look(platform: string): PlatformLook {
  return LOOKS[platform] ?? { name: platform || "unknown", color: "var(--c-other)", mark: null };
}

/** The picture of an emote at twice its text size; null where its text has to do. */
export function emoteAddress(provider: string, id: string): string | null {
  if (provider !== "twitch" || !/^[\w-]+$/.test(id)) return null;
  return `https://static-cdn.jtvnw.net/emoticons/v2/${id}/default/dark/2.0`;
}
