import { expect, test } from "vitest";
import { parseOptions } from "./options";

test("without options there are defaults", () => {
  expect(parseOptions("")).toMatchObject({
    limit: 30, fade: 0, size: 28, align: "left", motion: "full", badges: true, names: true, commands: true, unknown: [],
  });
});

test.each([
  ["?limit=9000", { limit: 200 }],
  ["?limit=0", { limit: 1 }],
  ["?limit=many", { limit: 30 }],
  ["?fade=false", { fade: 0 }],
  ["?fade=20", { fade: 20 }],
  ["?size=2", { size: 34 }],
  ["?size=18", { size: 18 }],
  ["?size=1e9", { size: 200 }],
  ["?hide_badges", { badges: false }],
  ["?hide_badges=false", { badges: true }],
  ["?badges=0", { badges: false }],
  ["?names=0", { names: false }],
  ["?hide_names=true", { names: false }],
  ["?hide_commands=1", { commands: false }],
  ["?bots=false", { bots: false }],
  ["?animate=0", { motion: "none" }],
  ["?motion=soft", { motion: "soft" }],
  ["?motion=wild", { motion: "full" }],
  ["?align=middle", { align: "left" }],
  ["?newline&reverse&timestamps", { newline: true, reverse: true, timestamps: true }],
  ["?background=000&background_opacity=50", { background: "rgba(0, 0, 0, 0.5)" }],
  ["?background=fff&background_opacity=0.25", { background: "rgba(255, 255, 255, 0.25)" }],
  ["?background=url(x)", { background: "" }],
  ["?text_color=%23ff8800", { textColor: "rgba(255, 136, 0, 1)" }],
  ["?font=Comic Sans MS", { font: "Comic Sans MS" }],
  ['?font=x";background:url(y)', { font: "xbackgroundurly" }],
  ["?platforms=Twitch, kick", { platforms: "twitch,kick" }],
  ["?channel=forsen,kick:xqc,%23summit", { channel: "twitch:forsen,kick:xqc,twitch:summit" }],
  ["?botnames=Nightbot", { block: new Set(["nightbot"]) }],
  ["?prevent_clipping", { whole: true }],
  ["?LIMIT=5", { limit: 5 }],
])("%s", (query, expected) => {
  expect(parseOptions(query)).toMatchObject(expected);
});

test("options that nobody here knows are named", () => {
  expect(parseOptions("?limit=3&sparkles=1&theme=x").unknown).toEqual(["sparkles", "theme"]);
});
