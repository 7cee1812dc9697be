import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Chat } from "./chat.svelte";
import { fixture, message } from "./fixtures";
import type { Alert, ChatEvent, Cleared, Message, Removed } from "./wire";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Long enough for the page to have been told, even a hidden one. */
const TOLD_MS = 250;

function chat(keepRemoved = true, limit = 100): Chat {
  return new Chat({ limit, keepRemoved });
}

function shown(list: Chat, ...events: ChatEvent[]): readonly ChatEvent[] {
  list.take(events);
  vi.advanceTimersByTime(TOLD_MS);
  return list.lines;
}

function ids(lines: readonly ChatEvent[]): string[] {
  return lines.map((line) => line.id);
}

function removed(changed: Partial<Removed["target"]>): ChatEvent {
  const event = fixture("event-removed") as Removed;
  return { ...event, target: { ...target, ...changed } };
}

function cleared(changed: Partial<Cleared>): ChatEvent {
  return { ...(fixture("event-cleared-timeout") as Cleared), ...changed };
}

const target = { id: null, native_id: null, author_id: null, author_login: null };

describe("removing", () => {
  test("a removed line keeps its place and loses its words", () => {
    const list = chat();

    const lines = shown(list, message(1), message(2), message(3), removed({ id: "2" }));

    expect(ids(lines)).toEqual(["1", "2", "3"]);
    expect(lines[1]).toMatchObject({ state: "removed", text: "", fragments: [], reply: null });
  });

  test("where removed lines are not kept, the line goes", () => {
    expect(ids(shown(chat(false), message(1), message(2), removed({ id: "1" })))).toEqual(["2"]);
  });

  test("a line is found by its platform's id too", () => {
    expect(ids(shown(chat(false), message(1), message(2), removed({ native_id: "native-2" })))).toEqual(["1"]);
  });

  test("another platform's equal id is left alone", () => {
    const other = message(1, { platform: "kick" });

    expect(ids(shown(chat(false), other, removed({ native_id: "native-1" })))).toEqual(["1"]);
  });

  test("a removal that overtakes its line still wins", () => {
    const list = chat(false);

    expect(shown(list, removed({ native_id: "native-7" }), message(7))).toEqual([]);
  });

  test("a line that the server marks as removed says nothing", () => {
    expect(shown(chat(), fixture("event-removed-message"))).toMatchObject([{ state: "removed", text: "" }]);
    expect(shown(chat(false), fixture("event-removed-message"))).toEqual([]);
  });

  test("an alert's words go as well", () => {
    const alert = fixture("event-alert-resub");

    const lines = shown(chat(), alert, removed({ id: alert.id }));

    expect(lines[0]).toMatchObject({ state: "removed", text: "", system_text: "" });
  });

  test("a removal once applied is not undone when the line comes again", () => {
    const list = chat(false);

    shown(list, message(1), removed({ id: "1" }));

    expect(shown(list, message(1))).toEqual([]);
  });
});

describe("clearing", () => {
  const at = Date.parse("2026-11-21T14:02:11.384Z");
  const mara = message(1).author;
  const quill = { ...mara, id: "90211", login: "quill" };

  test("a timeout takes one person's lines", () => {
    const lines = shown(chat(false), message(1), message(2, { author: quill }), cleared({}));

    expect(ids(lines)).toEqual(["2"]);
  });

  test("where removed lines are kept, a line says what happened, once", () => {
    const lines = shown(chat(), message(1), cleared({ id: "7" }), cleared({ id: "7" }));

    expect(lines.map(({ kind, state }) => [kind, state])).toEqual([["message", "removed"], ["cleared", "visible"]]);
  });

  test("what a person says after the timeout stays", () => {
    const lines = shown(chat(false), message(1), message(2, { at: at + 1 }), cleared({ at }));

    expect(ids(lines)).toEqual(["2"]);
  });

  describe("goes by the time of receipt where a stamp is more than a day off", () => {
    const hour = 3_600_000;
    const day = 24 * hour;

    test("of the line", () => {
      const ahead = message(1, { at: at + 30 * day, received_at: at });
      const behind = message(2, { at: at - 30 * day, received_at: at + hour });

      expect(ids(shown(chat(false), ahead, behind, cleared({ at, received_at: at })))).toEqual(["2"]);
    });

    test("of the clear", () => {
      const before = message(1, { at: at - hour, received_at: at - hour });
      const after = message(2, { at: at + hour, received_at: at + hour });

      const lines = shown(chat(false), before, after, cleared({ at: at + 30 * day, received_at: at }));

      expect(ids(lines)).toEqual(["2"]);
    });

    test("and not where it is off by a day or less", () => {
      const early = message(1, { at: at - day, received_at: at });

      expect(shown(chat(false), early, cleared({ at: at - hour, received_at: at - hour }))).toEqual([]);
    });
  });

  test("another channel's lines stay", () => {
    const elsewhere = { id: "5", login: "elsewhere", name: null };

    const lines = shown(chat(false), message(1), message(2, { channel: elsewhere }), cleared({}));

    expect(ids(lines)).toEqual(["2"]);
  });

  test("a channel without an id is known by its login", () => {
    const channel = { id: null, login: "pixelforge", name: null };

    expect(shown(chat(false), message(1, { channel }), cleared({}))).toEqual([]);
  });

  test("a cleared chat takes everybody's lines", () => {
    const lines = shown(chat(false), message(1), message(2, { author: quill }), cleared({ target }));

    expect(lines).toEqual([]);
  });

  test("a person who is named only by login keeps nothing, others keep theirs", () => {
    const named = { ...target, author_login: "mara_vale" };

    expect(ids(shown(chat(false), message(1), message(2, { author: quill }), cleared({ target: named })))).toEqual(["2"]);
  });

  test("a clear that overtakes a line still wins", () => {
    expect(shown(chat(false), cleared({ at }), message(1))).toEqual([]);
  });

  test("notes that nobody said stay", () => {
    expect(ids(shown(chat(false), fixture("event-status"), fixture("event-gap"), cleared({ target })))).toEqual(["1025", "1026"]);
  });
});

test("an edited line says its new words", () => {
  const lines = shown(chat(), message(1001), fixture("event-edited"));

  expect(lines).toMatchObject([{ id: "1001", text: "hello here", fragments: [{ text: "hello here" }] }]);
});

test("an edit does not bring a removed line back", () => {
  const lines = shown(chat(), message(1001), removed({ id: "1001" }), fixture("event-edited"));

  expect(lines).toMatchObject([{ state: "removed", text: "" }]);
});

describe("shared sessions", () => {
  const shared = { source_id: "typed-1" };
  const home = message(1, { native_id: "typed-1" });
  const copy = message(2, { native_id: "copy-2", shared, channel: { id: "9", login: "next_door", name: null } });

  test("copies of one line are one line", () => {
    expect(ids(shown(chat(), home, copy, message(3, { shared })))).toEqual(["1"]);
  });

  test("a removal in the other channel takes the line", () => {
    expect(shown(chat(false), home, copy, removed({ native_id: "copy-2" }))).toEqual([]);
    expect(shown(chat(false), home, copy, removed({ id: "2" }))).toEqual([]);
  });

  test("a removal where it was typed takes a copy, also where the line itself was never shown", () => {
    expect(shown(chat(false), home, copy, removed({ native_id: "typed-1" }))).toEqual([]);
    expect(shown(chat(false), copy, home, removed({ native_id: "typed-1" }))).toEqual([]);
    expect(shown(chat(false), copy, removed({ native_id: "typed-1" }))).toEqual([]);
  });

  test("a copy that comes after the removal of another stays away", () => {
    const later = message(4, { native_id: "copy-4", shared });

    expect(shown(chat(false), home, copy, removed({ native_id: "copy-2" }), later)).toEqual([]);
  });

  test("a copy that comes removed takes the line", () => {
    expect(shown(chat(false), home, { ...copy, state: "removed" } as Message)).toEqual([]);
    expect(shown(chat(false), { ...copy, state: "removed" } as Message, home)).toEqual([]);
  });
});

test("the gifts of a bulk are one line", () => {
  const bulk = fixture("event-alert-gift-bulk");
  const gift = fixture("event-alert-gift") as Alert;

  expect(ids(shown(chat(), bulk, gift, { ...gift, id: "5000", native_id: "x" }))).toEqual([bulk.id]);
  expect(ids(shown(chat(), gift, { ...gift, id: "5000", native_id: "x" }))).toEqual([gift.id, "5000"]);
});

test("no more than the limit is kept, the newest of them", () => {
  const list = chat(true, 10);

  const lines = shown(list, ...Array.from({ length: 500 }, (_, at) => message(at)));

  expect(ids(lines)).toEqual(["490", "491", "492", "493", "494", "495", "496", "497", "498", "499"]);
});

test("while held, lines that are being read stay up to twice the limit", () => {
  const list = chat(true, 10);
  list.held = true;

  const held = shown(list, ...Array.from({ length: 30 }, (_, at) => message(at)));
  list.held = false;
  vi.advanceTimersByTime(TOLD_MS);

  expect(held).toHaveLength(20);
  expect(list.lines).toHaveLength(10);
});

test("the same event twice is one line", () => {
  expect(shown(chat(), message(1), message(1))).toHaveLength(1);
});

test("the page is told once per frame", () => {
  const list = chat();
  list.take([message(1)]);
  list.take([message(2)]);

  const before = list.lines;
  vi.advanceTimersByTime(20);

  expect(before).toEqual([]);
  expect(ids(list.lines)).toEqual(["1", "2"]);
});

test("a hidden page, which gets no frames, is told as well", () => {
  vi.stubGlobal("requestAnimationFrame", () => 1);

  expect(ids(shown(chat(), message(1)))).toEqual(["1"]);

  vi.unstubAllGlobals();
});

test("after a reset only what follows is shown, but removals are remembered", () => {
  const list = chat(false);
  shown(list, message(1), removed({ id: "1" }), message(2));

  list.reset(false);

  expect(ids(shown(list, message(1), message(3)))).toEqual(["3"]);
});

test("in a new epoch an id that was removed is another event's, and an old clear hits nobody", () => {
  const list = chat(false);
  const later = Date.parse("2026-11-21T15:00:00.000Z");
  shown(list, message(1), removed({ id: "1" }), cleared({ at: later, received_at: later }));

  list.reset(true);

  expect(ids(shown(list, message(1), message(3)))).toEqual(["1", "3"]);
});
