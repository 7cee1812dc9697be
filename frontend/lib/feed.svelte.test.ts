import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Feed, type Listener } from "./feed.svelte";
import { fixtureText } from "./fixtures";

/** The far end of the wire, as the browser would show it. */
class Wire {
  static all: Wire[] = [];
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  isClosed = false;

  constructor(readonly address: string) {
    Wire.all.push(this);
  }

  close() {
    this.isClosed = true;
  }

  says(frame: object | string) {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  breaks(code = 1006, reason = "") {
    this.onclose?.({ code, reason });
  }
}

const hello = (resumed: boolean, epoch = "e") => ({ type: "hello", epoch, cursor: `${epoch}:900`, resumed });
const events = (cursor?: string) => ({ type: "events", cursor, events: [{ id: "5", kind: "status" }] });

function wire(): Wire {
  return Wire.all.at(-1)!;
}

function since(): string | null {
  return new URL(wire().address).searchParams.get("since");
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
  vi.stubGlobal("WebSocket", Wire);
  vi.spyOn(Math, "random").mockReturnValue(0.999);
  Wire.all = [];
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("the first connection asks for the newest events and nothing older", () => {
  started();

  const { protocol, pathname, searchParams } = new URL(wire().address);

  expect([protocol, pathname]).toEqual(["ws:", "/api/feed"]);
  expect(Object.fromEntries(searchParams)).toEqual({ last: "30", platform: "twitch" });
});

test("a broken line is resumed after the last event that came", () => {
  const { listener } = started();
  wire().says(hello(false));
  wire().says(events("e:901"));

  wire().breaks();
  vi.advanceTimersByTime(500);

  expect(Wire.all).toHaveLength(2);
  expect(since()).toBe("e:901");
  expect(listener.events).toHaveBeenCalledTimes(1);
});

test("a keepalive moves the cursor on", () => {
  started();
  wire().says(hello(false));
  wire().says({ type: "keepalive", cursor: "e:950" });

  wire().breaks();
  vi.advanceTimersByTime(500);

  expect(since()).toBe("e:950");
});

test("a line that breaks between greeting and events asks for the newest again", () => {
  started();
  wire().says(hello(false));

  wire().breaks();
  vi.advanceTimersByTime(500);

  expect(since()).toBeNull();
});

test("a removal sent ahead, which has no cursor, leaves the cursor alone", () => {
  const { feed } = started();
  wire().says(hello(false));
  wire().says(events("e:901"));

  wire().says(events());

  expect(feed.cursor).toBe("e:901");
});

test("a resumed line goes on with what is shown", () => {
  const { listener } = started();

  wire().says(hello(true));

  expect(listener.reset).not.toHaveBeenCalled();
});

test("a reset forgets what is shown and where it stopped", () => {
  const { feed, listener } = started();
  wire().says(hello(true));
  wire().says(events("old:77"));

  wire().says({ type: "reset" });

  expect(listener.reset).toHaveBeenCalledTimes(1);
  expect(feed.cursor).toBeNull();
});

test("state goes to the listener by topic", () => {
  const { listener } = started();

  wire().says(fixtureText("frame-state-sources"));

  expect(listener.state).toHaveBeenCalledWith("sources", expect.objectContaining({ sources: expect.any(Array) }));
});

test("waits grow from half a second to ten, and start over after a greeting", () => {
  started();
  const waits = [];

  for (let attempt = 0; attempt < 7; attempt++) {
    const before = Wire.all.length;
    wire().breaks();
    let waited = 0;
    for (; Wire.all.length === before; waited += 100) vi.advanceTimersByTime(100);
    waits.push(waited);
  }
  wire().says(hello(false));
  wire().breaks();
  vi.advanceTimersByTime(500);

  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  expect(Wire.all).toHaveLength(9);
});

test("a line that is silent for two keepalives is given up", () => {
  const { feed } = started();
  wire().says(hello(false));
  const silent = wire();

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

  expect(Wire.all).toHaveLength(2);
});

test("a frame that cannot be read costs nothing", () => {
  const { feed, listener } = started();
  wire().says(hello(false));

  wire().says("{broken");
  wire().says({ type: "newer" });

  expect(feed.state).toBe("open");
  expect(listener.events).not.toHaveBeenCalled();
});

test("a page that opened before the server connects as soon as it is up", () => {
  const { feed } = started();

  wire().breaks();
  const before = [feed.state, feed.lostAt !== null];
  vi.advanceTimersByTime(500);
  wire().says(hello(false));

  expect(before).toEqual(["connecting", true]);
  expect([feed.state, feed.lostAt]).toEqual(["open", null]);
});

test("a break is spoken of only when it lasts", () => {
  const { feed } = started();
  wire().says(hello(false));
  wire().breaks();

  const lost = Date.now();

  expect([feed.isAway(lost + 1_900), feed.isAway(lost + 2_000)]).toEqual([false, true]);
});

test("a close that says not to come back is asked again only once a minute", () => {
  const { feed } = started();
  wire().says(hello(false));

  wire().breaks(4_500, "too many connections");
  vi.advanceTimersByTime(59_000);

  expect([feed.state, feed.reason, Wire.all.length]).toEqual(["refused", "too many connections", 1]);
  vi.advanceTimersByTime(1_000);
  expect(Wire.all).toHaveLength(2);
});

test("when the network is back, nobody waits for the next attempt", () => {
  started();
  for (let attempt = 0; attempt < 6; attempt++) {
    wire().breaks();
    vi.advanceTimersByTime(10_000);
  }
  wire().breaks();
  const before = Wire.all.length;

  window.dispatchEvent(new Event("online"));

  expect(Wire.all).toHaveLength(before + 1);
});

test("a stopped feed stays stopped", () => {
  started();
  wire().breaks();

  stop();
  vi.advanceTimersByTime(120_000);

  expect(Wire.all).toHaveLength(1);
});

test("a reset says whether the epoch is another one", () => {
  const { listener } = started();
  wire().says(hello(false));
  wire().says({ type: "reset" });
  wire().breaks();
  vi.advanceTimersByTime(500);

  wire().says(hello(false, "f"));
  wire().says({ type: "reset" });

  expect(listener.reset.mock.calls).toEqual([[true], [false], [true], [false]]);
});
