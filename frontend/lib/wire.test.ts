import { describe, expect, test } from "vitest";
import { fixture, fixtureNames, fixtureText } from "./fixtures";
import { parseEvent, parseFrame, parseImport, parseProblem, parseSession, parseSources } from "./wire";

describe("events", () => {
  test.each(fixtureNames.filter((name) => name.startsWith("event-")))("%s is read as what it says it is", (name) => {
    const raw = JSON.parse(fixtureText(name));

    const event = fixture(name);

    expect(event.id).toBe(raw.id);
    expect(event.kind).toBe(name === "event-unknown-kind" ? "other" : raw.kind);
    expect(event.platform).toBe(raw.platform);
    expect(event.channel).toEqual(raw.channel);
    expect(event.native_id).toBe(raw.native_id);
    expect(new Date(event.at).toISOString()).toBe(raw.at);
    expect(event.state).toBe(raw.state);
  });

  test.each(fixtureNames.filter((name) => /^event-(message|action|alert|edited)/.test(name)))(
    "in %s the fragments say the text",
    (name) => {
      const event = fixture(name);

      if (!("fragments" in event)) throw new Error("has no fragments");
      expect(event.fragments.map((fragment) => fragment.text).join("")).toBe(event.text);
    },
  );

  test("a message keeps everything it came with", () => {
    const raw = JSON.parse(fixtureText("event-message-full"));

    const event = fixture("event-message-full");

    expect(event).toMatchObject({
      author: raw.author,
      fragments: raw.fragments,
      flags: raw.flags,
      reply: raw.reply,
      bits: raw.bits,
    });
  });

  test("money keeps its tier", () => {
    expect(fixture("event-message-money")).toMatchObject({ money: { display: "$5.00", currency: "USD", tier: 2 } });
  });

  test("a copy of a shared line names the line it copies", () => {
    expect(fixture("event-message-shared").shared).toEqual({ source_id: "7d8f4a10-aaaa-4bbb-8ccc-9dddeeeeff04" });
  });

  test("an alert keeps its parameters and the platform's sentence", () => {
    expect(fixture("event-alert-resub")).toMatchObject({
      alert: { type: "resub", plan: "1000", months: 14, streak: 6 },
      system_text: expect.stringContaining("14 months"),
    });
  });

  test("a ban has no end, a timeout has one", () => {
    expect(fixture("event-cleared-ban")).toMatchObject({ duration_s: null, target: { author_id: "40286300" } });
    expect(fixture("event-cleared-timeout")).toMatchObject({ duration_s: 600 });
  });

  test("a kind from a newer server passes under its name", () => {
    expect(fixture("event-unknown-kind")).toMatchObject({ kind: "other", name: "poll" });
  });

  test.each([null, 7, "x", [], {}, { id: "1" }, { kind: "message" }, { id: 1, kind: "message" }])(
    "%j is no event",
    (json) => {
      expect(parseEvent(json)).toBeNull();
    },
  );

  test("an event with nothing but id and kind is still one", () => {
    expect(parseEvent({ id: "1", kind: "message" })).toMatchObject({
      author: { name: "unknown", badges: [] },
      text: "",
      fragments: [],
      channel: { id: null, login: "" },
    });
  });

  test("text without fragments is shown as it is", () => {
    const event = parseEvent({ id: "1", kind: "message", text: "hi" });

    expect(event).toMatchObject({ fragments: [{ type: "text", text: "hi" }] });
  });

  test("a fragment of an unknown type is its text", () => {
    const event = parseEvent({ id: "1", kind: "message", fragments: [{ type: "hologram", text: "hi" }] });

    expect(event).toMatchObject({ fragments: [{ type: "text", text: "hi" }] });
  });

  test.each(["javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "//example.com", ""])(
    "%j does not become a link",
    (url) => {
      const event = parseEvent({ id: "1", kind: "message", fragments: [{ type: "link", text: "here", url }] });

      expect(event).toMatchObject({ fragments: [{ type: "text", text: "here" }] });
    },
  );

  test("a color that is none is left out", () => {
    const event = parseEvent({ id: "1", kind: "message", author: { color: "red;background:url(x)" } });

    expect(event).toMatchObject({ author: { color: null } });
  });
});

describe("frames", () => {
  test.each(["hello", "events", "keepalive", "reset"])("a %s frame is read", (type) => {
    expect(parseFrame(fixtureText(`frame-${type}`))).toMatchObject({ type });
  });

  test("a frame brings its events in order", () => {
    const frame = parseFrame(fixtureText("frame-events"));

    expect(frame).toMatchObject({ cursor: "k3v9x2:1005", events: [{ id: "1001" }, { id: "1005" }] });
  });

  test("one event that cannot be read does not cost the others", () => {
    const frame = parseFrame('{"type":"events","cursor":"e:3","events":[{"id":"1","kind":"status"},7,{"id":"3","kind":"gap"}]}');

    expect(frame).toMatchObject({ events: [{ id: "1" }, { id: "3" }] });
  });

  test.each(["", "not json", "null", "[]", '{"type":"newer"}'])("%j is no frame", (text) => {
    expect(parseFrame(text)).toBeNull();
  });

  test("the list of sources is read", () => {
    const frame = parseFrame(fixtureText("frame-state-sources"));

    if (frame?.type !== "state") throw new Error("is no state frame");
    expect(parseSources(frame.data)).toMatchObject([
      { id: "1", name: "PixelForge", state: "live", reason: null, rate_per_minute: 42.5 },
      { id: "3", state: "backoff", reason: expect.stringContaining("8 s"), last_event_at: null },
    ]);
  });
});

test("a session that cannot be read makes nobody an owner", () => {
  expect(parseSession("x")).toEqual({ owner: false, can_read: true, link_hint: "elora-chat token --link" });
});

test("a problem says its detail, else its title", () => {
  expect(parseProblem({ title: "Bad", detail: "`x` is no channel" })).toBe("`x` is no channel");
  expect(parseProblem({ title: "Bad" })).toBe("Bad");
  expect(parseProblem("<html>")).toBe("");
});

test("an import is there only while it goes on", () => {
  const told = { state: "running", file: "elora.db", done: 5, total: 4, imported: 3, known: 1, unreadable: 1, reason: null };

  expect(parseImport(told)).toEqual({ file: "elora.db", done: 5, total: 5, reason: null });
  expect(parseImport({ ...told, state: "waiting", reason: "why" })).toMatchObject({ reason: "why" });
  for (const state of ["none", "finished", "newer", undefined]) expect(parseImport({ ...told, state })).toBeNull();
  expect(parseImport(null)).toBeNull();
});
