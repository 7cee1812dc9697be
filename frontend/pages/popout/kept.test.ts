import { expect, test } from "vitest";
import { parsePeople, parseSettings, withPerson } from "./kept";

test.each([null, "", "{broken", "[]", "null", '"text"', "{}"])("%j leaves the settings as usual", (kept) => {
  expect(parseSettings(kept)).toEqual({
    showBadges: true, hideYouTubeAt: true, pauseChatEnabled: true, pauseOnMouseLeave: false, pauseBottomThresholdPx: 128,
    pauseScrollIntentWindowMs: 2_000, pauseMouseleaveUnpauseCooldownMs: 0, fetchHistoryOnLoad: false,
  });
});

test("what was kept counts, but for what makes no sense", () => {
  const kept = { showBadges: false, fetchHistoryOnLoad: "yes", pauseBottomThresholdPx: 40, pauseScrollIntentWindowMs: -1, pauseMouseleaveUnpauseCooldownMs: 1e99, wsUrl: "wss://elsewhere" };

  expect(parseSettings(JSON.stringify(kept))).toMatchObject({
    showBadges: false, fetchHistoryOnLoad: false, pauseBottomThresholdPx: 40, pauseScrollIntentWindowMs: 2_000, pauseMouseleaveUnpauseCooldownMs: 60_000,
  });
  expect(parseSettings(JSON.stringify(kept))).not.toHaveProperty("wsUrl");
});

test.each([
  [null, []],
  ["{broken", []],
  ['{"a":1}', []],
  ['["Quill",7,null,"",["x"],"fen"]', ["Quill", "fen"]],
])("of %j these are hidden: %j", (kept, people) => {
  expect([...parsePeople(kept)]).toEqual(people);
});

test.each([
  [null, '["fen"]'],
  ["", '["fen"]'],
  ["[]", '["fen"]'],
  ['["Quill",7]', '["Quill",7,"fen"]'],
  ['["fen"]', '["fen"]'],
  ["{broken", null],
  ['{"a":1}', null],
  ['"fen"', null],
])("one more in %j makes %j", (kept, list) => {
  expect(withPerson(kept, "fen")).toBe(list);
});
