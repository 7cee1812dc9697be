import { describe, expect, test } from "vitest";
import { message } from "./fixtures";
import type { ChatEvent } from "./wire";
import { LogWindow } from "./window.svelte";

class Growing {
  lines = $state.raw<readonly ChatEvent[]>([]);
  #next = 0;

  add(count: number): this {
    this.lines = [...this.lines, ...Array.from({ length: count }, () => message(this.#next++))];
    return this;
  }
}

function view(count: number): [LogWindow, Growing] {
  const list = new Growing().add(count);
  return [new LogWindow(() => list.lines), list];
}

/** The first and last line in the page. */
function edges(window: LogWindow): (string | undefined)[] {
  return [window.shown.at(0)?.id, window.shown.at(-1)?.id];
}

describe("following", () => {
  test("the newest lines are in the page, whatever comes", () => {
    const [window, list] = view(2_000);
    list.add(5);

    expect(edges(window)).toEqual(["1885", "2004"]);
    expect([window.isFollowing, window.waiting]).toEqual([true, 0]);
  });

  test("a short list is there as a whole", () => {
    expect(edges(view(3)[0])).toEqual(["0", "2"]);
  });
});

describe("frozen", () => {
  test("nothing moves, and what is new is counted", () => {
    const [window, list] = view(500);
    window.freeze();
    list.add(37);

    expect(edges(window)).toEqual(["380", "499"]);
    expect(window.waiting).toBe(37);
  });

  test("going on shows the newest", () => {
    const [window, list] = view(500);
    window.freeze();
    list.add(37);
    window.follow();

    expect(edges(window)).toEqual(["417", "536"]);
  });

  test("the upper edge brings older lines until there are none", () => {
    const [window] = view(250);

    expect([window.reachOlder(), window.reachOlder(), window.reachOlder()]).toEqual([true, true, false]);
    expect(edges(window)).toEqual(["0", "249"]);
  });

  test("the lower edge brings newer lines, and goes on following when few are left", () => {
    const [window, list] = view(500);
    window.freeze();
    list.add(150);

    window.reachNewer();
    const once = [edges(window), window.waiting, window.isFollowing];
    list.lines = list.lines.slice(0, 620);
    window.reachNewer();

    expect(once).toEqual([["380", "599"], 50, false]);
    expect(window.isFollowing).toBe(true);
  });

  test("when the line it stopped at is gone, the oldest lines are shown", () => {
    const [window, list] = view(100);
    window.freeze();
    list.add(4_000);
    list.lines = list.lines.slice(-2_000);

    expect(edges(window)).toEqual(["2100", "2219"]);
  });
});

describe("by keyboard", () => {
  test("the first step up stops at the newest line, the next goes up", () => {
    const [window] = view(500);

    expect([window.move(-1), window.move(-1), window.move(1)]).toEqual(["499", "498", "499"]);
    expect(window.isFollowing).toBe(false);
  });

  test("past the newest line it goes on following", () => {
    const [window] = view(500);
    window.move(-1);

    expect(window.move(1)).toBeNull();
    expect([window.isFollowing, window.active]).toEqual([true, null]);
  });

  test("it may go to lines that are not in the page yet, both ways", () => {
    const [window, list] = view(500);
    for (let step = 0; step < 130; step++) window.move(-1);
    const up = [window.active, window.shown.some((line) => line.id === window.active)];
    list.add(10);
    for (let step = 0; step < 135; step++) window.move(1);

    expect(up).toEqual(["370", true]);
    expect([window.active, window.shown.at(-1)?.id]).toEqual(["505", "505"]);
  });

  test("in an empty list there is nowhere to go", () => {
    expect(view(0)[0].move(-1)).toBeNull();
  });
});
