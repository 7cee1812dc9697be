// How a message is drawn that begins with a color or an effect: `rainbow:wave: hello`. Knows names and pieces; how they
// look is in popout.css.

import type { Token } from "../../lib/classic";

const COLORS = new Set([
  "yellow", "red", "green", "cyan", "purple", "white", "rainbow", "flash1", "flash2", "flash3", "glow1", "glow2", "glow3",
]);

/** These move letter by letter, the others as a whole. */
const BY_LETTER = new Set(["wave", "wave2", "shake", "cheddar"]);
const EFFECTS = new Set([...BY_LETTER, "slide", "scroll"]);

/**
 * Every piece that moves by itself is a layer of its own, and about a hundred of them is what a machine without a
 * graphics card still draws smoothly: three lines of these. Longer texts move word by word, or not at all.
 */
const MOST_PIECES = 40;

/** Letters of these scripts change with their neighbors, and must not be parted. */
const JOINED = /[\u0590-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af\ufb1d-\ufdff\ufe70-\ufeff]/;

/** A run of text as pieces that move by themselves, by words; or an emote. */
export type Part = { words: string[][] } | { emote: Token };

export interface Body {
  /** Classes for style sheets: `color-red effect-wave`. */
  names: string;
  /** What is said, without what only colors it. */
  text: string;
  parts: Part[];
}

/** The body of a message. With `moves`, text is parted for effects that move letters. */
export function body(tokens: readonly Token[], moves: boolean): Body {
  const named = (type: Token["type"], known: ReadonlySet<string>) =>
    tokens.find((token) => token.type === type && known.has(token.text))?.text;
  const color = named("colour", COLORS);
  const effect = named("effect", EFFECTS);
  const said = tokens.filter(({ type }) => type === "text" || type === "emote" || type === "command");
  // Somebody who writes nothing but the name of a color says that.
  const shown = said.length > 0 ? said : tokens.map((token): Token => ({ ...token, type: "text", text: `${token.text}:` }));
  const text = shown.map(spelled).join(" ");
  const parting = moves && effect && BY_LETTER.has(effect) ? partingFor(text) : whole;
  return {
    names: [color && `color-${color}`, effect && `effect-${effect}`].filter(Boolean).join(" "),
    text,
    parts: shown.map((token) => (token.type === "emote" ? { emote: token } : { words: parting(spelled(token)) })),
  };
}

function spelled({ type, text }: Token): string {
  return type === "command" ? `!${text}` : text;
}

/** Whether anything of it would move or change its color. */
export function isMoving(tokens: readonly Token[]): boolean {
  return tokens.some(({ type, text }) => (type === "effect" && EFFECTS.has(text)) || (type === "colour" && /^(flash|glow)/.test(text)));
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

type Parting = (text: string) => string[][];

const byLetter: Parting = (text) => words(text).map((word) => [...segmenter.segment(word)].map(({ segment }) => segment));
const byWord: Parting = (text) => words(text).map((word) => [word]);
const whole: Parting = (text) => [[text]];

function partingFor(text: string): Parting {
  if (!JOINED.test(text) && text.length <= MOST_PIECES * 4 && byLetter(text).flat().length <= MOST_PIECES) return byLetter;
  return words(text).length <= MOST_PIECES ? byWord : whole;
}

function words(text: string): string[] {
  return text.split(" ").filter(Boolean);
}
