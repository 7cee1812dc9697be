import { expect, test } from "vitest";
import { parseSettings } from "./kept";
import { Pause } from "./pause.svelte";

function paused(kept: object = {}): Pause {
  const settings = parseSettings(JSON.stringify(kept));
  const pause = new Pause(() => settings);
  pause.scrolled(1_000, 0, 0);
  return pause;
}

test("a step up by hand pauses, however small", () => {
  const pause = paused();

  pause.touched(5_000);
  pause.scrolled(990, 10, 6_999);

  expect(pause.isOn).toBe(true);
});

test("what moves by itself does not pause", () => {
  const pause = paused();

  pause.touched(5_000);
  pause.scrolled(900, 100, 7_000);

  expect(pause.isOn).toBe(false);
});

test("a held button is a hand, however long", () => {
  const pause = paused();

  pause.held = true;
  pause.scrolled(900, 100, 90_000);

  expect(pause.isOn).toBe(true);
});

test.each([
  [{}, 128, false],
  [{}, 129, true],
  [{ pauseBottomThresholdPx: 40 }, 41, true],
])("with %j, %i pixels from the end, going down leaves it paused: %s", (kept, below, isOn) => {
  const pause = paused(kept);
  pause.touched(0);
  pause.scrolled(500, 500, 1);

  pause.scrolled(1_000 - below, below, 2);

  expect(pause.isOn).toBe(isOn);
});

test("who wants no pause gets none from scrolling, but from the key", () => {
  const pause = paused({ pauseChatEnabled: false });

  pause.touched(0);
  pause.scrolled(500, 500, 1);
  const scrolled = pause.isOn;
  pause.toggle(2);

  expect([scrolled, pause.isOn]).toEqual([false, true]);
});

test.each([
  [{}, 9_000, true],
  [{ pauseOnMouseLeave: true }, 9_000, false],
  [{ pauseOnMouseLeave: true, pauseMouseleaveUnpauseCooldownMs: 500 }, 499, true],
  [{ pauseOnMouseLeave: true, pauseMouseleaveUnpauseCooldownMs: 500 }, 500, false],
])("with %j, the pointer leaving after %i ms leaves it paused: %s", (kept, after, isOn) => {
  const pause = paused(kept);
  pause.toggle(0);

  pause.left(after);

  expect(pause.isOn).toBe(isOn);
});
