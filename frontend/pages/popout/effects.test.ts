import { expect, test } from "vitest";
import type { Token } from "../../lib/classic";
import { body, isMoving } from "./effects";

/** `colour red|text hello` */
function tokens(line: string): Token[] {
  return line.split("|").map((token) => {
    const at = token.indexOf(" ");
    return { type: token.slice(0, at) as Token["type"], text: token.slice(at + 1), name: "", picture: null };
  });
}

/** Words by spaces, pieces of a word by dots, parts by bars. */
function parts(line: string, moves = true): string {
  return body(tokens(line), moves)
    .parts.map((part) => ("emote" in part ? `<${part.emote.text}>` : part.words.map((word) => word.join(".")).join(" ")))
    .join("|");
}

test.each([
  ["colour red|effect wave|text a", "color-red effect-wave"],
  ["effect wave|colour red|text a", "color-red effect-wave"],
  ["effect scroll|text a", "effect-scroll"],
  ["colour glow3|text a", "color-glow3"],
  ["pattern q3|text a", ""],
  ["colour red\" onload|effect evil|text a", ""],
])("%s is drawn as %s", (line, names) => {
  expect(body(tokens(line), true).names).toBe(names);
});

test("only effects that move letters part the text, and only while they move", () => {
  expect(parts("effect wave|text hi 👩‍🚀|emote Kappa|text yo")).toBe("h.i 👩‍🚀|<Kappa>|y.o");
  expect(parts("effect wave|text hi you", false)).toBe("hi you");
  expect(parts("effect slide|text hi you")).toBe("hi you");
  expect(parts("colour red|text hi you")).toBe("hi you");
});

test("letters that join are not parted, their words are", () => {
  expect(parts("effect shake|text مرحبا بالجميع")).toBe("مرحبا بالجميع");
});

test("a long text moves word by word, and a very long one not at all", () => {
  const pieces = (text: string) => body(tokens(`effect wave|text ${text}`), true).parts.flatMap((part) => ("words" in part ? part.words.flat() : []));

  expect(pieces("word ".repeat(10).trim())).toHaveLength(40);
  expect(pieces("word ".repeat(11).trim())).toHaveLength(11);
  expect(pieces("a ".repeat(250).trim())).toHaveLength(1);
  expect(pieces("e\u0301".repeat(490))).toHaveLength(1);
});

test("a command is said as it was typed, and so is a color without words", () => {
  expect(parts("command color purple")).toBe("!color purple");
  expect(parts("colour white")).toBe("white:");
});

test.each([
  ["effect wave|text a", true],
  ["colour glow1|text a", true],
  ["colour red|text a", false],
  ["effect evil|text a", false],
  ["text flash1", false],
])("whether anything moves in %s: %s", (line, moves) => {
  expect(isMoving(tokens(line))).toBe(moves);
});
