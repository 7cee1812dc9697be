import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FarEnd, lastEnd } from "../../lib/far-end";
import { Popout } from "./popout.svelte";

const FRAME_MS = 20;

let stop = () => {};

function started(kept: object = {}): Popout {
  localStorage.setItem("elora.settings.v2", JSON.stringify(kept));
  const popout = new Popout();
  stop = popout.start();
  return popout;
}

function say(id: number, author = "fen", more: object = {}) {
  const who = { author, author_login: author, source: "Twitch", source_channel: "room" };
  const chat = { id: String(id), ...who, message: `line ${id}`, fragments: [], ts: 1_000 + id, ...more };
  lastEnd().says({ type: "chat", data: JSON.stringify(chat) });
}

function live(position: number, epoch = "e") {
  lastEnd().says({ type: "live", cursor: `${epoch}:${position}`, keepalive_ms: 10_000 });
}

function shown(popout: Popout): number[] {
  vi.advanceTimersByTime(FRAME_MS);
  return popout.lines.map(({ id }) => Number(id));
}

function reconnect() {
  lastEnd().breaks();
  vi.advanceTimersByTime(500);
}

function query(): Record<string, string> {
  return Object.fromEntries(new URL(lastEnd().address).searchParams);
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FarEnd);
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("nobody answers")));
  vi.spyOn(Math, "random").mockReturnValue(0.999);
  FarEnd.all = [];
  localStorage.clear();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("it begins with nothing, and asks for a replay when it comes back", () => {
  started();
  const first = query();
  live(10);

  reconnect();

  expect([first, query()]).toEqual([{ events: "1", replay: "0" }, { events: "1", replay: "1" }]);
});

test("a line that the replay does not confirm goes, and so do older ones", () => {
  const popout = started();
  live(10);
  for (const id of [11, 12, 13, 14]) say(id);
  expect(shown(popout)).toEqual([11, 12, 13, 14]);

  reconnect();
  for (const id of [12, 14, 15]) say(id);
  const during = shown(popout);
  live(15);

  expect(during).toEqual([11, 12, 13, 14]);
  expect(shown(popout)).toEqual([12, 14, 15]);
});

test("a replay of nothing leaves nothing", () => {
  const popout = started();
  live(10);
  say(11);

  reconnect();
  live(12);

  expect(shown(popout)).toEqual([]);
});

test("what was said before the page was opened does not come up later", () => {
  const popout = started();
  live(10);

  reconnect();
  for (const id of [9, 10, 11]) say(id);
  live(11);

  expect(shown(popout)).toEqual([11]);
});

test("it does where the settings ask for it", () => {
  const popout = started({ fetchHistoryOnLoad: true });
  expect(query()).toEqual({ events: "1", replay: "1" });
  for (const id of [9, 10]) say(id);
  live(10);

  reconnect();
  for (const id of [9, 10]) say(id);
  live(10);

  expect(shown(popout)).toEqual([9, 10]);
});

test("another store's lines count from their own beginning", () => {
  const popout = started();
  live(1_000);
  say(1_001);

  reconnect();
  say(3);
  live(3, "f");

  expect(shown(popout)).toEqual([3]);
});

test("a replay that breaks off changes nothing", () => {
  const popout = started();
  live(10);
  for (const id of [11, 12]) say(id);

  reconnect();
  say(11);
  reconnect();
  for (const id of [11, 12]) say(id);
  live(12);

  expect(shown(popout)).toEqual([11, 12]);
});

test("after a purge it shows what the server still has, once", () => {
  const popout = started();
  live(10);
  for (const id of [11, 12, 13]) say(id);
  const first = lastEnd();

  first.says({ type: "reset" });
  for (const id of [9, 12, 13, 15]) say(id);
  const during = shown(popout);
  live(15);
  say(16);

  expect([first.isClosed, FarEnd.all.length, query().replay]).toEqual([true, 2, "1"]);
  expect([during, shown(popout)]).toEqual([[11, 12, 13], [12, 13, 15, 16]]);
});

test("a purge in the middle of a replay begins it again", () => {
  const popout = started();
  live(10);
  say(11);

  reconnect();
  say(11);
  lastEnd().says({ type: "reset" });
  live(14);

  expect(shown(popout)).toEqual([]);
});

test("where the server does not answer after a purge, lines are hidden", () => {
  const popout = started();
  live(10);
  say(11);

  lastEnd().says({ type: "reset" });
  vi.advanceTimersByTime(4_000);
  const before = popout.isAway;
  vi.advanceTimersByTime(3_000);
  const after = popout.isAway;
  live(12);

  expect([before, after, popout.isAway, shown(popout)]).toEqual([false, true, false, []]);
});

test("what is removed while the replay comes is not in it", () => {
  const popout = started();
  live(10);
  for (const id of [11, 12]) say(id);

  reconnect();
  say(11);
  lastEnd().says({ type: "removed", id: "11", source: "Twitch", source_channel: "room", ts: 9_000 });
  const during = shown(popout);
  say(12);
  live(13);

  expect([during, shown(popout)]).toEqual([[12], [12]]);
});

test("a removal where a line was typed takes its copy in another room", () => {
  const popout = started();
  live(10);
  say(11, "fen", { native_id: "copy", shared: { source_id: "typed", channel: { id: "9" } } });
  const before = shown(popout);

  lastEnd().says({ type: "removed", id: null, native_id: "typed", author_id: null, source: "Twitch", source_channel: "next_door", ts: 9_000 });

  expect([before, shown(popout)]).toEqual([[11], []]);
});

test("after five seconds without the server lines are hidden, until it has confirmed them", () => {
  const popout = started();
  live(10);
  lastEnd().breaks();
  const states = [];

  vi.advanceTimersByTime(4_000);
  states.push(popout.isAway);
  vi.advanceTimersByTime(3_000);
  states.push(popout.isAway);
  say(11);
  states.push(popout.isAway);
  live(11);
  states.push(popout.isAway);

  expect(states).toEqual([false, true, true, false]);
});

test("a browser that may not read is told so", async () => {
  const popout = started();
  vi.stubGlobal("fetch", async () => new Response('{"owner":false,"can_read":false}'));

  await vi.advanceTimersByTimeAsync(7_000);

  expect([popout.isAway, popout.mayRead]).toEqual([true, false]);
  live(10);
  expect([popout.isAway, popout.mayRead]).toEqual([false, true]);
});

test("two signs of life that do not come are a lost line", () => {
  started();
  live(10);

  vi.advanceTimersByTime(21_900);
  lastEnd().says("__keepalive__");
  vi.advanceTimersByTime(21_900);
  const before = FarEnd.all.length;
  vi.advanceTimersByTime(700);

  expect([before, FarEnd.all.length]).toEqual([1, 2]);
});

test("people hidden by another window of this browser leave", () => {
  const popout = started();
  live(10);
  say(11, "fen");
  say(12, "Quill");

  localStorage.setItem("blacklist", '["Quill"]');
  window.dispatchEvent(new StorageEvent("storage", { key: "blacklist" }));
  say(13, "Quill");

  expect(shown(popout)).toEqual([11]);
});
