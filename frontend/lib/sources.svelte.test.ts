import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fixtureText } from "./fixtures";
import { Sources, UNDO_MS } from "./sources.svelte";
import type { Source } from "./wire";

const known = JSON.parse(fixtureText("frame-state-sources")).data;
const calls: string[] = [];
let answer = () => Response.json(known.sources[1], { status: 201 });

beforeEach(() => {
  vi.useFakeTimers();
  calls.length = 0;
  vi.stubGlobal("fetch", (path: string, request: RequestInit) => {
    calls.push(`${request.method} ${path} ${request.body ?? ""}`.trim());
    return Promise.resolve(answer());
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function sources(): Sources {
  const sources = new Sources();
  sources.take(known);
  return sources;
}

function logins(sources: Sources): string[] {
  return sources.list.map((source: Source) => source.login);
}

test("what a person pasted is sent as it is, and appears at once", async () => {
  const list = new Sources();

  const adding = list.add("https://www.twitch.tv/HarborLights");
  const meanwhile = list.adding;
  const taken = await adding;

  expect(calls).toEqual(['POST /api/sources {"source":"https://www.twitch.tv/HarborLights"}']);
  expect([meanwhile, taken, logins(list), list.adding]).toEqual([
    "https://www.twitch.tv/HarborLights",
    true,
    ["harborlights"],
    "",
  ]);
});

test("the answer to a request does not undo what the feed said meanwhile", async () => {
  answer = () => Response.json({ ...known.sources[1], state: "connecting" }, { status: 201 });
  const list = new Sources();

  const adding = list.add("harborlights");
  list.take(known);
  await adding;

  expect(list.list.map((source) => source.state)).toEqual(["live", "backoff"]);
});

test("a refusal shows the server's own sentence", async () => {
  answer = () => Response.json({ title: "Bad source", detail: "`x y` is not a channel" }, { status: 422 });
  const list = sources();

  expect(await list.add("x y")).toBe(false);
  expect(list.problem).toBe("`x y` is not a channel");
});

test("one field needs no field's name", async () => {
  answer = () => Response.json({ detail: "source: no source given" }, { status: 400 });
  const list = sources();

  await list.add(":");

  expect(list.problem).toBe("no source given");
});

test("channels have colors where there are several, and keep them when others go", () => {
  const list = sources();
  const before = list.tints.get("twitch:harborlights");

  list.take({ sources: [known.sources[1], { ...known.sources[0], id: "9", login: "third" }] });
  const after = list.tints.get("twitch:harborlights");
  list.take({ sources: [known.sources[1]] });

  expect(before).toMatch(/^var\(--c-channel-[1-8]\)$/);
  expect([after, list.tints.size]).toEqual([before, 0]);
});

test("channels that came along unasked have colors of their own, too", () => {
  const list = sources();
  const brought = ["twitch:-demo-", "youtube:@-demo-"].map((id) => ({ ...known.sources[0], id, login: id.split(":")[1] }));

  list.take({ sources: brought });

  expect(new Set(list.tints.values()).size).toBe(2);
});

test("a server that is away is said to be", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
  const list = sources();

  await list.add("forsen");

  expect(list.problem).toBe("the server does not answer");
});

test("a removed channel goes at once, and the server hears of it when the time to undo is over", async () => {
  answer = () => new Response(null, { status: 204 });
  const list = sources();

  list.remove(list.list[0]!);
  const before = [logins(list), calls.length];
  await vi.advanceTimersByTimeAsync(UNDO_MS);

  expect(before).toEqual([["harborlights"], 0]);
  expect(calls).toEqual(["DELETE /api/sources/1"]);
  expect([logins(list), list.leaving]).toEqual([["harborlights"], null]);
});

test("an undone removal is never sent", async () => {
  const list = sources();

  list.remove(list.list[0]!);
  list.undo();
  await vi.advanceTimersByTimeAsync(UNDO_MS * 2);

  expect(calls).toEqual([]);
  expect(logins(list)).toEqual(["pixelforge", "harborlights"]);
});

test("a channel that is added again while it is leaving stays", async () => {
  answer = () => Response.json(known.sources[0]);
  const list = sources();

  list.remove(list.list[0]!);
  await list.add("twitch.tv/pixelforge");
  await vi.advanceTimersByTimeAsync(UNDO_MS * 2);

  expect(calls.map((call) => call.split(" ")[0])).toEqual(["POST"]);
  expect(logins(list)).toEqual(["pixelforge", "harborlights"]);
});

test("a second removal carries out the first", async () => {
  answer = () => new Response(null, { status: 204 });
  const list = sources();
  const [first, second] = list.list as [Source, Source];

  list.remove(first);
  list.remove(second);
  await vi.advanceTimersByTimeAsync(UNDO_MS);

  expect(calls).toEqual(["DELETE /api/sources/1", "DELETE /api/sources/3"]);
  expect(logins(list)).toEqual([]);
});

test("a removal that was refused says so and the channel is back", async () => {
  answer = () => Response.json({ detail: "only the owner may do that" }, { status: 401 });
  const list = sources();

  list.remove(list.list[0]!);
  await vi.advanceTimersByTimeAsync(UNDO_MS);

  expect(list.problem).toBe("PixelForge is still there: only the owner may do that");
  expect(logins(list)).toEqual(["pixelforge", "harborlights"]);
});

test("a channel that is leaving does not come back with the server's next list", () => {
  const list = sources();

  list.remove(list.list[0]!);
  list.take(known);

  expect(logins(list)).toEqual(["harborlights"]);
});
