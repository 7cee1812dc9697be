import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parseClassic, type ClassicLine } from "./classic";

function fixture(name: string): string {
  return readFileSync(resolve(import.meta.dirname, "../../tests/fixtures/classic", `${name}.json`), "utf8");
}

const chat = JSON.parse(fixture("chat"));
const said = (message: string, more: object = {}) => ({ author: "fen", source: "Twitch", message, fragments: [], ...more });

function lines(text: string): ClassicLine[] {
  return parseClassic(text).flatMap((frame) => (frame.type === "event" && frame.event.kind === "message" ? [frame.event] : []));
}

function texts(text: string): string[] {
  return lines(text).map((line) => line.text);
}

test("a message as the server sends it has everything a line shows", () => {
  const [line] = lines(JSON.stringify({ type: "chat", data: JSON.stringify(chat) }));

  expect(line).toMatchObject({
    id: "1042",
    platform: "twitch",
    source: "Twitch",
    channel: { login: "pixelforge" },
    native_id: "885196de-cb67-427a-baa8-82f9b0fcd05f",
    at: 1763716801250,
    author: { id: "40286300", login: "mara_vale", name: "Mara_Vale", color: "#8AE020" },
    pictured: [{ set: "subscriber", version: "12" }, { set: "premium", version: "1" }],
  });
  expect(line!.tokens.map(({ type, text }) => `${type} ${text}`)).toEqual(["colour cyan", "effect wave2", "text nice run", "emote Kappa"]);
  expect(line!.tokens[3]).toMatchObject({ name: "Kappa", picture: { width: 28 } });
});

test.each(["__keepalive__", " __keepalive__\n", "", "{broken", "null", "7", '"text"', "[]", '{"type":"newer"}', '{"type":"chat","data":"{broken"}'])(
  "%j is nothing to show",
  (text) => {
    expect(parseClassic(text)).toEqual([]);
  },
);

test.each([
  ["in an envelope with text", JSON.stringify({ type: "chat", data: JSON.stringify(said("a")) }), ["a"]],
  ["in an envelope with an object", JSON.stringify({ type: "chat", data: said("a") }), ["a"]],
  ["in an envelope with a list", JSON.stringify({ type: "chat", data: [said("a"), said("b")] }), ["a", "b"]],
  ["bare", JSON.stringify(said("a")), ["a"]],
  ["in a list", JSON.stringify([said("a"), { type: "chat", data: JSON.stringify(said("b")) }]), ["a", "b"]],
  ["a line each", `${JSON.stringify(said("a"))}\n__keepalive__\n${JSON.stringify(said("b"))}\n`, ["a", "b"]],
])("messages are read %s", (_, text, expected) => {
  expect(texts(text)).toEqual(expected);
});

test("a message without a source or without words is none", () => {
  expect(texts(JSON.stringify([said("a", { source: " " }), said("  "), {}]))).toEqual([]);
});

test("a message without tokens is its text", () => {
  expect(lines(JSON.stringify(said("as it is")))[0]!.tokens).toEqual([{ type: "text", text: "as it is", name: "", picture: null }]);
});

test("messages without an id are told apart", () => {
  const ids = lines(JSON.stringify([said("a"), said("a")])).map(({ id }) => id);

  expect(new Set(ids).size).toBe(2);
});

test("unknown platforms are themselves", () => {
  expect(lines(JSON.stringify(said("a", { source: "Marker" })))[0]).toMatchObject({ source: "Marker", platform: "marker" });
});

test("the widest picture is taken, and no address that is none of a picture", () => {
  const images = [{ url: "https://a/1", width: 18 }, { url: "https://a/4", width: 72 }, { url: "javascript:alert(1)", width: 999 }];
  const [line] = lines(JSON.stringify(said("a", { badges: [{ id: "vip", images }, { id: "founder", images: [images[2]] }] })));

  expect(line!.pictured.map(({ picture }) => picture?.url)).toEqual(["https://a/4", undefined]);
});

test("badges may be text, and go by one name", () => {
  const [line] = lines(JSON.stringify(said("a", { badges: ["subscriber/12", "turbo", { id: "administrator" }, {}, 7] })));

  expect(line!.pictured.map(({ set, version }) => `${set}/${version}`)).toEqual(["subscriber/12", "premium/", "staff/"]);
});

test("a color that is none is left out", () => {
  const [good, bad] = lines(JSON.stringify([said("a", { colour: "#abcdef" }), said("a", { colour: "red;background:url(x)" })]));

  expect([good!.author.color, bad!.author.color]).toEqual(["#abcdef", null]);
});

test("a copy from a shared session says what it is a copy of", () => {
  const [copy] = lines(fixture("chat-shared"));
  const [line] = lines(JSON.stringify(chat));

  expect(copy!.shared).toEqual({ source_id: "7d8f4a10-aaaa-4bbb-8ccc-9dddeeeeff04" });
  expect(line!.shared).toBeNull();
});

test("what is taken away names its target", () => {
  const [removed] = parseClassic(fixture("removed"));
  const [cleared] = parseClassic(fixture("cleared"));

  expect(removed).toMatchObject({ event: { kind: "removed", platform: "twitch", target: { id: "1042", native_id: chat.native_id } } });
  expect(cleared).toMatchObject({ event: { kind: "cleared", channel: { login: "pixelforge" }, target: { author_id: "40286300" }, duration_s: 600 } });
});

test("where other platforms' lines do not say their channel, a clear does not either", () => {
  const [cleared] = parseClassic(JSON.stringify({ ...JSON.parse(fixture("cleared")), source: "YouTube" }));

  expect(cleared).toMatchObject({ event: { platform: "youtube", channel: { login: "" } } });
});

test("a purge says no more than that", () => {
  expect(parseClassic(fixture("reset"))).toEqual([{ type: "reset" }]);
});

test("the end of a replay says where it is and how often to expect a word", () => {
  expect(parseClassic(fixture("live"))).toEqual([{ type: "live", epoch: "e3f1a2b4", position: 1041, keepalive_ms: 25_000 }]);
});
