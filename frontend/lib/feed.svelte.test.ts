import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Feed, type Listener } from "./feed.svelte";
import { FarEnd, lastEnd } from "./far-end";
import { fixtureText } from "./fixtures";

const hello = (resumed: boolean, epoch = "e") => ({ type: "hello", epoch, cursor: `${epoch}:900`, resumed });
const events = (cursor?: string) => ({ type: "events", cursor, events: [{ id: "5", kind: "status" }] });

function since(): string | null {
  return new URL(lastEnd().address).searchParams.get("since");
}

let stop = () => {};

function started() {
  const listener = { events: vi.fn(), reset: vi.fn(), state: vi.fn(), hello: vi.fn() } satisfies Listener;
  const feed = new Feed({ last: "30", platform: "twitch" }, listener);
  stop = feed.start();
  return { feed, listener };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FarEnd);
  vi.spyOn(Math, "random").mockReturnValue(0.999);
  FarEnd.all = [];
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("the first connection asks for the newest events and nothing older", () => {
  started();

  const { protocol, pathname, searchParams } = new URL(lastEnd().address);

  expect([protocol, pathname]).toEqual(["ws:", "/api/feed"]);
  expect(Object.fromEntries(searchParams)).toEqual({ last: "30", platform: "twitch" });
});

test("a broken line is resumed after the last event that came", () => {
  const { listener } = started();
  lastEnd().says(hello(false));
  lastEnd().says(events("e:901"));

  lastEnd().breaks();
  vi.advanceTimersByTime(500);

  expect(FarEnd.all).toHaveLength(2);
  expect(since()).toBe("e:901");
  expect(listener.events).toHaveBeenCalledTimes(1);
});

test("a keepalive moves the cursor on", () => {
  started();
  lastEnd().says(hello(false));
  lastEnd().says({ type: "keepalive", cursor: "e:950" });

  lastEnd().breaks();
  vi.advanceTimersByTime(500);

  expect(since()).toBe("e:950");
});

test("a line that breaks between greeting and events asks for the newest again", () => {
  started();
  lastEnd().says(hello(false));

  lastEnd().breaks();
  vi.advanceTimersByTime(500);

  expect(since()).toBeNull();
});

test("a removal sent ahead, which has no cursor, leaves the cursor alone", () => {
  const { feed } = started();
  lastEnd().says(hello(false));
  lastEnd().says(events("e:901"));

  lastEnd().says(events());

  expect(feed.cursor).toBe("e:901");
});

test("a resumed line goes on with what is shown", () => {
  const { listener } = started();

  lastEnd().says(hello(true));

  expect(listener.reset).not.toHaveBeenCalled();
});

test("a reset forgets what is shown and where it stopped", () => {
  const { feed, listener } = started();
  lastEnd().says(hello(true));
  lastEnd().says(events("old:77"));

  lastEnd().says({ type: "reset" });

  expect(listener.reset).toHaveBeenCalledTimes(1);
  expect(feed.cursor).toBeNull();
});

test("state goes to the listener by topic", () => {
  const { listener } = started();

  lastEnd().says(fixtureText("frame-state-sources"));

  expect(listener.state).toHaveBeenCalledWith("sources", expect.objectContaining({ sources: expect.any(Array) }));
});

test("waits grow from half a second to ten, and start over after a greeting", () => {
  started();
  const waits = [];

  for (let attempt = 0; attempt < 7; attempt++) {
    const before = FarEnd.all.length;
    lastEnd().breaks();
    let waited = 0;
    for (; FarEnd.all.length === before; waited += 100) vi.advanceTimersByTime(100);
    waits.push(waited);
  }
  lastEnd().says(hello(false));
  lastEnd().breaks();
  vi.advanceTimersByTime(500);

  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  expect(FarEnd.all).toHaveLength(9);
});

test("a line that is silent for two keepalives is given up", () => {
  const { feed } = started();
  lastEnd().says(hello(false));
  const silent = lastEnd();

  vi.advanceTimersByTime(31_000);
  const before = feed.state;
  vi.advanceTimersByTime(1_500);

  expect(before).toBe("open");
  expect(feed.state).toBe("lost");
  expect(silent.isClosed).toBe(true);
});

test("a server that never answers is given up and asked again", () => {
  started();

  vi.advanceTimersByTime(33_000);

  expect(FarEnd.all).toHaveLength(2);
});

test("a frame that cannot be read costs nothing", () => {
  const { feed, listener } = started();
  lastEnd().says(hello(false));

  lastEnd().says("{broken");
  lastEnd().says({ type: "newer" });

  expect(feed.state).toBe("open");
  expect(listener.events).not.toHaveBeenCalled();
});

test("a page that opened before the server connects as soon as it is up", () => {
  const { feed } = started();

  lastEnd().breaks();
  const before = [feed.state, feed.lostAt !== null];
  vi.advanceTimersByTime(500);
  lastEnd().says(hello(false));

  expect(before).toEqual(["connecting", true]);
  expect([feed.state, feed.lostAt]).toEqual(["open", null]);
});

test("a break is spoken of only when it lasts", () => {
  const { feed } = started();
  lastEnd().says(hello(false));
  lastEnd().breaks();

  const lost = Date.now();

  expect([feed.isAway(lost + 1_900), feed.isAway(lost + 2_000)]).toEqual([false, true]);
});

test("a close that says not to come back is asked again only once a minute", () => {
  const { feed } = started();
  lastEnd().says(hello(false));

  lastEnd().breaks(4_500, "too many connections");
  vi.advanceTimersByTime(59_000);

  expect([feed.state, feed.reason, FarEnd.all.length]).toEqual(["refused", "too many connections", 1]);
  vi.advanceTimersByTime(1_000);
  expect(FarEnd.all).toHaveLength(2);
});

test("when the network is back, nobody waits for the next attempt", () => {
  started();
  for (let attempt = 0; attempt < 6; attempt++) {
    lastEnd().breaks();
    vi.advanceTimersByTime(10_000);
  }
  lastEnd().breaks();
  const before = FarEnd.all.length;

  window.dispatchEvent(new Event("online"));

  expect(FarEnd.all).toHaveLength(before + 1);
});

test("a stopped feed stays stopped", () => {
  started();
  lastEnd().breaks();

  stop();
  vi.advanceTimersByTime(120_000);

  expect(FarEnd.all).toHaveLength(1);
});

test("a reset says whether the epoch is another one", () => {
  const { listener } = started();
  lastEnd().says(hello(false));
  lastEnd().says({ type: "reset" });
  lastEnd().breaks();
  vi.advanceTimersByTime(500);

  lastEnd().says(hello(false, "f"));
  lastEnd().says({ type: "reset" });

  expect(listener.reset.mock.calls).toEqual([[true], [false], [true], [false]]);
});
