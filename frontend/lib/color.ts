// Name colors that can be read: the hue a person chose, at a lightness that suits the ground it is written on.

type Lab = [lightness: number, a: number, b: number];
type Rgb = [red: number, green: number, blue: number];

/** WCAG's least contrast for text of ordinary size. */
const MIN_CONTRAST = 4.5;

/** A transparent overlay has no ground; between these (OKLab) an outlined name reads on light and dark scenes alike. */
const OVERLAY_LIGHTNESS = [0.68, 0.88] as const;

/** For people whose platform gives them no color. Picked by login, so that a person keeps theirs. */
const PALETTE = [
  "#f0736a", "#f08a4b", "#d9a521", "#9fb52b", "#5cb85c", "#2fb59a",
  "#34b3cf", "#5b9df0", "#8a8cf5", "#b57bee", "#df70cf", "#f06fa0",
] as const;

const cache = new Map<string, string>();

/** Names on screen at once are far fewer; the cache only has to stay bounded. */
const CACHE_SIZE = 4_000;

/** The color of a person's name, readable on `ground` (`#rrggbb`), or on anything where there is no ground. */
export function nameColor(color: string | null, login: string, ground: string | null): string {
  const wanted = color ?? PALETTE[hash(login) % PALETTE.length]!;
  const key = wanted + ground;
  const known = cache.get(key);
  if (known) return known;
  const safe = ground === null ? clamped(wanted) : readable(wanted, ground);
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(key, safe);
  return safe;
}

/** Contrast of two `#rrggbb` colors by WCAG 2: 1 to 21. */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(parse(one)), luminance(parse(other))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** Moves lightness away from the ground, as little as is enough. */
function readable(color: string, ground: string): string {
  if (contrast(color, ground) >= MIN_CONTRAST) return color;
  const [lightness, a, b] = toLab(parse(color));
  const end = luminance(parse(ground)) < 0.18 ? 1 : 0;
  let [near, far] = [lightness, end];
  let best = end === 1 ? "#ffffff" : "#000000";
  for (let step = 0; step < 12; step++) {
    const middle = (near + far) / 2;
    const tried = toHex([middle, a, b]);
    if (contrast(tried, ground) >= MIN_CONTRAST) [best, far] = [tried, middle];
    else near = middle;
  }
  return best;
}

function clamped(color: string): string {
  const [lightness, a, b] = toLab(parse(color));
  const [darkest, lightest] = OVERLAY_LIGHTNESS;
  const kept = Math.min(Math.max(lightness, darkest), lightest);
  return kept === lightness ? color : toHex([kept, a, b]);
}

function parse(hex: string): Rgb {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255) as Rgb;
}

function linear(channel: number): number {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map(linear) as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// Matrices of OKLab as its author published them.
function toLab(rgb: Rgb): Lab {
  const [red, green, blue] = rgb.map(linear) as Rgb;
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function toHex([lightness, a, b]: Lab): string {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const rgb = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return `#${rgb.map(toByte).join("")}`;
}

function toByte(channel: number): string {
  const light = Math.min(Math.max(channel, 0), 1);
  const encoded = light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.round(encoded * 255).toString(16).padStart(2, "0");
}

/** FNV-1a, for its spread over short names. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
