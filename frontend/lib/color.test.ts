import { expect, test } from "vitest";
import { contrast, nameColor } from "./color";

/** Every row ground of theme.css, and the extremes. */
const GROUNDS = ["#13161c", "#1a1e26", "#12263b", "#ffffff", "#f4f6f9", "#e2effd", "#000000"];

/** The same colors in every run, spread over the whole cube. */
function* colors(): Generator<string> {
  for (let n = 0; n < 4_096; n++) {
    const mixed = Math.imul(n + 1, 0x9e3779b1) >>> 8;
    yield `#${mixed.toString(16).padStart(6, "0").slice(-6)}`;
  }
}

test.each(GROUNDS)("every color can be read on %s", (ground) => {
  for (const color of colors()) {
    expect(contrast(nameColor(color, "", ground), ground), color).toBeGreaterThanOrEqual(4.5);
  }
});

test("a color that can be read is left as it is", () => {
  expect(nameColor("#8ae020", "", "#13161c")).toBe("#8ae020");
});

test("a color that is too dark stays in its hue", () => {
  const blue = nameColor("#0000ff", "", "#13161c");

  const [red, green, rest] = [1, 3, 5].map((at) => parseInt(blue.slice(at, at + 2), 16)) as [number, number, number];
  expect(rest).toBeGreaterThan(200);
  expect(rest).toBeGreaterThan(Math.max(red, green) + 60);
});

test("over a stream no name is nearly black or nearly white", () => {
  for (const color of ["#000000", "#0000ff", "#ffffff", "#111100"]) {
    const shown = nameColor(color, "", null);
    expect(contrast(shown, "#000000"), color).toBeGreaterThan(3);
    expect(contrast(shown, "#000000"), color).toBeLessThan(16);
  }
});

test("people without a color keep the one they are given", () => {
  expect(nameColor(null, "tomo", null)).toBe(nameColor(null, "tomo", null));
  expect(new Set(["a", "b", "c", "d", "e", "f", "g", "h"].map((login) => nameColor(null, login, null))).size).toBeGreaterThan(3);
});

test("contrast is what WCAG says", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});
