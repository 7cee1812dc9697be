// What the overlay's address asks for. Names that streamers know from other overlays are understood; nonsense falls
// back to the default, so that a typo never blanks a stream.

export interface Options {
  limit: number;
  /** Seconds a line stays; 0 for ever. */
  fade: number;
  /** Pixels. */
  size: number;
  font: string;
  /** Width of the dark outline, 0 to 4. */
  stroke: number;
  /** Strength of the soft shadow, 0 to 3. */
  shadow: number;
  align: "left" | "center" | "right";
  motion: "full" | "soft" | "none";
  /** CSS colors, or empty. */
  background: string;
  textColor: string;
  badges: boolean;
  names: boolean;
  timestamps: boolean;
  newline: boolean;
  reverse: boolean;
  smallCaps: boolean;
  /** A line that does not fit as a whole is left out. */
  whole: boolean;
  emoteScale: number;
  /** Whether lines carry their platform's mark; null for only where several are mixed. */
  platformIcon: boolean | null;
  commands: boolean;
  bots: boolean;
  alerts: boolean;
  /** Logins and ids, in lower case. */
  block: ReadonlySet<string>;
  platforms: string;
  channel: string;
  demo: boolean;
  debug: boolean;
  /** Keys nobody here understands. */
  unknown: string[];
}

const MOST_LINES = 200;

/** The three sizes of older chat overlays, in pixels. */
const NAMED_SIZES: Record<string, number> = { "1": 20, "2": 34, "3": 48 };

const ALIASES: Record<string, string> = {
  hide_names: "names!",
  hide_badges: "badges!",
  hide_commands: "commands!",
  bot_activity: "bots",
  nl_after_name: "newline",
  reverse_line_order: "reverse",
  botnames: "block",
  max_messages: "limit",
  fontsize: "size",
  platform: "platforms",
};

export function parseOptions(query: string): Options {
  const given = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    const name = ALIASES[key.toLowerCase()] ?? key.toLowerCase();
    if (name.endsWith("!")) given.set(name.slice(0, -1), isOn(value) ? "0" : "1");
    else given.set(name, value.trim());
  }
  const take = (name: string) => {
    const value = given.get(name);
    given.delete(name);
    return value;
  };
  const number = (name: string, fallback: number, least: number, most: number) => {
    const value = Number.parseFloat(take(name) ?? "");
    return Number.isFinite(value) ? Math.min(Math.max(value, least), most) : fallback;
  };
  const flag = (name: string, fallback: boolean) => {
    const value = take(name);
    return value === undefined ? fallback : isOn(value);
  };
  const size = take("size") ?? "";
  if (NAMED_SIZES[size]) given.set("size", String(NAMED_SIZES[size]));
  else if (size) given.set("size", size);
  const icon = take("platform_icon");
  const animate = flag("animate", true);
  const list = (name: string) => (take(name) ?? "").toLowerCase().split(",").map((item) => item.trim()).filter(Boolean);

  return {
    limit: Math.round(number("limit", 30, 1, MOST_LINES)),
    fade: number("fade", 0, 0, 86_400),
    size: number("size", 28, 8, 200),
    font: (take("font") ?? "").replace(/[^\p{L}\p{N} _-]/gu, ""),
    stroke: number("stroke", 1, 0, 4),
    shadow: number("shadow", 1, 0, 3),
    align: oneOf(take("align"), ["left", "center", "right"], "left"),
    motion: oneOf(take("motion"), ["full", "soft", "none"], animate ? "full" : "none"),
    background: color(take("background"), number("background_opacity", 100, 0, 100)),
    textColor: color(take("text_color"), number("text_opacity", 100, 0, 100)),
    badges: flag("badges", true),
    names: flag("names", true),
    timestamps: flag("timestamps", false),
    newline: flag("newline", false),
    reverse: flag("reverse", false),
    smallCaps: flag("small_caps", false),
    whole: flag("prevent_clipping", false),
    emoteScale: number("emote_scale", 1, 0.5, 4),
    platformIcon: icon === undefined ? null : isOn(icon),
    commands: flag("commands", true),
    bots: flag("bots", true),
    alerts: flag("alerts", true),
    block: new Set(list("block")),
    platforms: list("platforms").join(","),
    channel: list("channel").map(channelName).join(","),
    demo: flag("demo", false),
    debug: flag("debug", false),
    unknown: [...given.keys()],
  };
}

/** A bare key means on. */
function isOn(value: string): boolean {
  return !["0", "false", "no", "off"].includes(value.trim().toLowerCase());
}

function oneOf<T extends string>(value: string | undefined, known: readonly T[], fallback: T): T {
  return known.find((word) => word === value) ?? fallback;
}

/** A hex color without its `#`, as other overlays write it, at `opacity` percent; up to 1 it is a fraction. */
function color(hex: string | undefined, opacity: number): string {
  const digits = (hex ?? "").replace(/^#/, "").replace(/^(.)(.)(.)$/, "$1$1$2$2$3$3");
  if (!/^[0-9a-f]{6}$/i.test(digits)) return "";
  const [red, green, blue] = [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16));
  return `rgba(${red}, ${green}, ${blue}, ${opacity > 1 ? opacity / 100 : opacity})`;
}

/** A bare name is a Twitch channel, as everywhere in this program. */
function channelName(name: string): string {
  return name.includes(":") ? name : `twitch:${name.replace(/^[#@]/, "")}`;
}
