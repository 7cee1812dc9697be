import { expect, test } from "vitest";
import { ago, count, rate, span } from "./words";

test.each([
  [400, "0 s"],
  [8_000, "8 s"],
  [105_000, "1 min 45 s"],
  [600_000, "10 min"],
  [3_900_000, "1 h 05 min"],
  [200_000_000, "2 d"],
  [-5_000, "0 s"],
])("%d ms are %s", (ms, words) => {
  expect(span(ms)).toBe(words);
});

test.each([
  [0, "now"],
  [12_000, "12 s ago"],
  [95_000, "1 min ago"],
  [7_200_000, "2 h 00 min ago"],
])("%d ms back is %s", (age, words) => {
  expect(ago(1_000_000_000, 1_000_000_000 + age)).toBe(words);
});

test("counts and rates read as a person would say them", () => {
  expect([count(1, "chat"), count(2, "chat"), count(1_283, "line")]).toEqual(["1 chat", "2 chats", "1,283 lines"]);
  expect([rate(0), rate(0.4), rate(42.5)]).toEqual(["0/min", "<1/min", "43/min"]);
});
