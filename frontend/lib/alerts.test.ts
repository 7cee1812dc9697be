import { expect, test } from "vitest";
import { alertLook, alertSentence, clearedSentence, statusSentence } from "./alerts";
import { fixture } from "./fixtures";
import type { Alert, Cleared, Status } from "./wire";

test("the platform's sentence is used where there is one", () => {
  expect(alertSentence(fixture("event-alert-raid") as Alert)).toBe("1283 raiders from HarborLights have joined!");
});

test("without one, who and what is said", () => {
  const alert = { ...(fixture("event-alert-sub") as Alert), system_text: "" };

  expect(alertSentence(alert)).toBe("ともみ: subscription");
  expect(alertSentence({ ...alert, author: null })).toBe("Subscription");
});

test("an announcement says nothing but its words", () => {
  expect(alertSentence(fixture("event-alert-announcement") as Alert)).toBe("");
});

test("an alert nobody here knows goes by its own name", () => {
  expect(alertLook({ type: "other", name: "modiversary" }).word).toBe("Modiversary");
  expect(alertLook({ type: "hype_train" }).word).toBe("Hype train");
});

test.each([
  ["event-cleared-all", "The chat was cleared"],
  ["event-cleared-ban", "mara_vale was banned"],
  ["event-cleared-timeout", "mara_vale was timed out for 10 min"],
  ["event-cleared-login", "mara_vale was timed out for 10 min"],
])("%s says what a moderator did", (name, sentence) => {
  expect(clearedSentence(fixture(name) as Cleared)).toBe(sentence);
});

test("chat modes are said in words", () => {
  const status = fixture("event-status") as Status;

  expect(statusSentence(status)).toBe("Chat modes: slow mode (30 s), emotes only off, followers only (10 minutes)");
  expect(statusSentence({ ...status, values: { followers_only: -1, subs_only: true, slow: 0 } })).toBe(
    "Chat modes: followers only off, subscribers only on, slow mode off",
  );
});
