import { gzipSync } from "node:zlib";
import { chromium } from "../../frontend/browser";
import { chromium103, FLAGS, skipped } from "./chromium";
import { Server } from "./server";
import { add, CHANNEL, expect, overlay, overlayLines, test, type Page } from "./setting";
import type { Twitch } from "./twitch";

/** What OBS should have to load: page, scripts and styles, as gzip sends them. */
const MOST_BYTES = 40_000;

/** A mark that a reload would wipe away. */
async function markUnreloaded(page: Page) {
  await page.evaluate(() => Object.assign(window, { unreloaded: true }));
}

async function wasReloaded(page: Page): Promise<boolean> {
  return page.evaluate(() => !("unreloaded" in window));
}

async function numbers(page: Page): Promise<number[]> {
  const texts = await page.locator(".msg__text").allTextContents();
  return texts.map((text) => Number(/\d+/.exec(text)?.[0]));
}

test.beforeEach(async ({ owner, twitch }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);
  await expect(owner.locator(`[data-source="twitch:${CHANNEL}"]`)).toBeVisible();
});

/** The way of an evening on stream; also taken in the Chromium that OBS carries. */
async function goesOn(page: Page, server: Server, twitch: Twitch) {
  await page.goto(overlay(server));
  for (let line = 1; line <= 5; line++) twitch.say(CHANNEL, `line ${line}`);
  await expect(overlayLines(page, "line 5")).toHaveCount(1);
  await markUnreloaded(page);

  await server.kill();
  await server.start();
  await twitch.joined(CHANNEL);
  for (let line = 6; line <= 9; line++) twitch.say(CHANNEL, `line ${line}`);

  await expect(overlayLines(page, "line 9")).toHaveCount(1);
  expect(await numbers(page)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await wasReloaded(page)).toBe(false);
}

async function takesAway(page: Page, server: Server, twitch: Twitch) {
  await page.goto(overlay(server));
  const id = twitch.say(CHANNEL, "a spoiler");
  twitch.say(CHANNEL, "spam", { login: "spammer", userId: "666" });
  twitch.say(CHANNEL, "nice jump", { login: "quill", userId: "90211" });
  await expect(overlayLines(page, "nice jump")).toHaveCount(1);

  twitch.remove(CHANNEL, id);
  twitch.timeout(CHANNEL, "spammer", "666", 600);

  await expect(page.locator(".msg")).toHaveCount(1);
  await expect(overlayLines(page, "nice jump")).toHaveCount(1);
}

/** OBS starts before the server: the kept page waits, and chat appears. */
async function waits(page: Page, server: Server, twitch: Twitch) {
  await page.goto(overlay(server));
  await expect.poll(() => page.evaluate(async () => (await caches.match("/overlay/chat")) !== undefined)).toBe(true);
  await server.kill();

  await page.goto(overlay(server, "?size=40"));
  await expect(page.locator("#chat_container")).toHaveCSS("font-size", "40px");
  await expect(page.locator(".msg")).toHaveCount(0);
  await markUnreloaded(page);
  await server.start();
  await twitch.joined(CHANNEL);
  twitch.say(CHANNEL, "there you are");

  await expect(overlayLines(page, "there you are")).toHaveCount(1);
  expect(await wasReloaded(page)).toBe(false);
}

test("the overlay goes on without a reload when the server was killed", async ({ page, server, twitch }) => {
  await goesOn(page, server, twitch);
});

test("a removed line and a timed-out person's lines leave the overlay", async ({ page, server, twitch }) => {
  await takesAway(page, server, twitch);
});

test("the overlay may be opened before the server", async ({ page, server, twitch }) => {
  await waits(page, server, twitch);
});

test("the overlay is see-through, and shows nothing while the server is away", async ({ page, server, twitch }) => {
  await page.goto(overlay(server));
  twitch.say(CHANNEL, "somebody may still remove this");
  await expect(overlayLines(page, "somebody")).toBeVisible();

  const grounds = await page.evaluate(() =>
    [document.documentElement, document.body].map((element) => getComputedStyle(element).backgroundColor),
  );
  await server.kill();

  expect(grounds).toEqual(["rgba(0, 0, 0, 0)", "rgba(0, 0, 0, 0)"]);
  await expect(overlayLines(page, "somebody")).toBeHidden();
  await server.start();
  await expect(overlayLines(page, "somebody")).toBeVisible();
});

test("the overlay is small", async ({ browser, server, twitch }) => {
  // With nothing kept from another page.
  const page = await browser.newPage();
  const files: Promise<[path: string, bytes: number]>[] = [];
  page.on("response", (response) => {
    const path = new URL(response.url()).pathname;
    files.push(response.body().then((body) => [path, gzipSync(body).length]));
  });

  await page.goto(overlay(server));
  twitch.say(CHANNEL, "with all that a line needs", { badges: "moderator/1" });
  await expect(overlayLines(page, "with all")).toHaveCount(1);

  const loaded = Object.fromEntries(await Promise.all(files));
  const total = Object.values(loaded).reduce((sum, bytes) => sum + bytes, 0);
  expect(Object.keys(loaded)).toContain("/overlay/chat");
  expect(total, JSON.stringify(loaded)).toBeLessThanOrEqual(MOST_BYTES);
  await page.close();
});

test("no more lines than asked for, the newest of them", async ({ page, server, twitch }) => {
  await page.goto(overlay(server, "?limit=5"));

  for (let line = 1; line <= 400; line++) twitch.say(CHANNEL, `line ${line}`);

  await expect(overlayLines(page, "line 400")).toHaveCount(1);
  expect(await numbers(page)).toEqual([396, 397, 398, 399, 400]);
});

test("a line that does not fit can be left out as a whole", async ({ page, server, twitch }) => {
  await page.goto(overlay(server, "?prevent_clipping"));

  for (let line = 1; line <= 40; line++) twitch.say(CHANNEL, `line ${line}`);

  await expect(overlayLines(page, "line 40")).toBeInViewport({ ratio: 1 });
  const cut = await page.locator(".msg").evaluateAll((lines) => {
    const boxes = lines.map((line) => line.getBoundingClientRect());
    const seen = boxes.filter(({ left, bottom, right, top }) => right > 0 && left < innerWidth && bottom > 0 && top < innerHeight);
    return { seen: seen.length, columns: new Set(seen.map(({ left }) => left)).size, cut: seen.filter(({ top, bottom }) => top < 0 || bottom > innerHeight).length };
  });
  expect(cut.seen).toBeGreaterThan(10);
  expect(cut).toMatchObject({ cut: 0, columns: 1 });
});

test("lines fade after their time", async ({ page, server, twitch }) => {
  await page.goto(overlay(server, "?fade=2"));
  twitch.say(CHANNEL, "fleeting");

  await expect(overlayLines(page, "fleeting")).toHaveCount(1);

  await expect(page.locator(".msg")).toHaveCount(0);
});

test("commands and blocked people can be left out", async ({ page, server, twitch }) => {
  await page.goto(overlay(server, "?hide_commands&block=quill"));

  twitch.say(CHANNEL, "!uptime");
  twitch.say(CHANNEL, "not for the stream", { login: "quill", userId: "90211" });
  twitch.say(CHANNEL, "this one");

  await expect(overlayLines(page, "this one")).toHaveCount(1);
  await expect(page.locator(".msg")).toHaveCount(1);
});

test("style sheets find what they were promised", async ({ page, server, twitch }) => {
  await page.goto(overlay(server));
  const id = twitch.say(CHANNEL, "style me", { name: "Mara_Vale", userId: "40286300" });

  const line = page.locator(
    `.msg.chat_line.platform-twitch[data-platform=twitch][data-kind=message][data-msg-id="${id}"][data-user-id="40286300"]`,
  );
  await expect(line.locator(".msg__name.nick")).toHaveText("Mara_Vale");
  await expect(line.locator(".colon")).toHaveText(": ");
  await expect(line.locator(".msg__text.message")).toHaveText("style me");
});

test("another channel's lines stay out where one is asked for", async ({ page, server, twitch, owner }) => {
  await add(owner, "harborlights");
  await twitch.joined("harborlights");
  await page.goto(overlay(server, "?channel=harborlights"));

  twitch.say(CHANNEL, "from the forge");
  twitch.say("harborlights", "from the harbor");

  await expect(overlayLines(page, "from the harbor")).toHaveCount(1);
  await expect(page.locator(".msg")).toHaveCount(1);
});

test.describe("in the Chromium of OBS 28 to 30", () => {
  const old = chromium103();
  if ("missing" in old) skipped(`the overlay in the Chromium of OBS 28 to 30. ${old.missing}`);

  const ways = { "goes on after a kill": goesOn, "takes removed lines away": takesAway, "waits for the server": waits };
  for (const [what, way] of Object.entries(ways)) {
    test(`the overlay ${what}`, async ({ server, twitch }) => {
      test.skip("missing" in old, "missing" in old ? old.missing : "");
      if ("missing" in old) return;
      const browser = await chromium.launch({ executablePath: old.path, args: FLAGS });
      const page = await browser.newPage({ viewport: { width: 500, height: 800 } });
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));

      await way(page, server, twitch);

      expect(browser.version()).toMatch(/^103\./);
      expect(errors).toEqual([]);
      await browser.close();
    });
  }
});
