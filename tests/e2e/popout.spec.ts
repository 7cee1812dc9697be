// The page that scenes and pop-out windows of earlier versions open: `/?popout`.

import { chromium, type Locator } from "../../frontend/browser";
import { chromium103, FLAGS, skipped } from "./chromium";
import type { Server } from "./server";
import { add, CHANNEL, drawEmotes, expect, test, type Page } from "./setting";
import type { Twitch } from "./twitch";

const KAPPA = "25:5-9";

function said(page: Page, text: string): Locator {
  return page.locator(".chat-message").filter({ hasText: text });
}

async function open(page: Page, server: Server, query = "?popout") {
  await page.goto(`${server.address}/${query}`);
  await expect(page.getByText("Chat appears here.")).toHaveCount(1);
}

/** Asked of the page itself: Playwright's own way needs a newer browser than OBS carries. */
async function colorOf(page: Page, selector: string): Promise<string> {
  return page.evaluate((selector) => getComputedStyle(document.querySelector(selector)!).color, selector);
}

/** The keyframes that move an element. */
async function motions(page: Page, selector: string): Promise<string[]> {
  return page.evaluate((selector) => {
    const moved = document.querySelector(selector)!.getAnimations();
    return moved.map((motion) => (motion as CSSAnimation).animationName);
  }, selector);
}

/** What earlier versions kept in the browser. */
async function keeps(page: Page, kept: Record<string, unknown>) {
  await page.addInitScript((entries) => {
    for (const [name, value] of entries) if (localStorage.getItem(name) === null) localStorage.setItem(name, value);
  }, Object.entries(kept).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const));
}

async function numbers(page: Page): Promise<number[]> {
  const texts = await page.locator(".message-text").allTextContents();
  return texts.map((text) => Number(/\d+/.exec(text)?.[0]));
}

async function belowEnd(page: Page): Promise<number> {
  return page.locator("#chat-container").evaluate((box) => Math.round(box.scrollHeight - box.clientHeight - box.scrollTop));
}

/** Enough lines to scroll through. */
async function fill(page: Page, twitch: Twitch, from = 1, to = 80) {
  for (let line = from; line <= to; line++) twitch.say(CHANNEL, `line ${line}`);
  await expect(said(page, `line ${to}`)).toHaveCount(1);
}

async function scrollUp(page: Page) {
  await page.mouse.move(200, 200);
  await page.mouse.wheel(0, -600);
  await expect(page.locator("#pauseOverlay")).toBeVisible();
}

test.beforeEach(async ({ owner, twitch }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);
  await expect(owner.locator(`[data-source="twitch:${CHANNEL}"]`)).toBeVisible();
});

/** The way of an evening on stream; also taken in the Chromium that OBS carries. */
async function hooks(page: Page, server: Server, twitch: Twitch) {
  await open(page, server);

  twitch.say(CHANNEL, "well Kappa played", { name: "Mara_Vale", badges: "moderator/1,clip-the-halls/1", emotes: KAPPA });

  const line = page.locator('#chat-container > .chat-message[data-platform="Twitch"][data-author="Mara_Vale"]');
  await expect(line.locator(".sender", { hasText: /^Mara_Vale:$/ })).toHaveCount(1);
  await expect(line.locator(".sender > .message-username", { hasText: /^Mara_Vale$/ })).toHaveCount(1);
  await expect(line.locator(".message-text", { hasText: /^well\s+played$/ })).toHaveCount(1);
  await expect(line.locator('svg.badge-icon[aria-label="Moderator"]')).toHaveCount(1);
  await expect(line.locator(".badge-label", { hasText: /^CLI$/ })).toHaveCount(1);
  await expect(line.locator('.message-text img.emote-image.chat-emote[alt="Kappa"][title="Kappa"]')).toHaveCount(1);
  await expect(line.locator('.platform-icon svg[aria-label="Twitch"]')).toHaveCount(1);
  expect(await colorOf(page, ".message-username")).toBe("rgb(138, 224, 32)");
}

async function colors(page: Page, server: Server, twitch: Twitch) {
  await open(page, server);

  twitch.say(CHANNEL, "red:wave: after the color");
  twitch.say(CHANNEL, "wave2:rainbow: before the color");
  twitch.say(CHANNEL, "glow3:slide: as one");

  await expect(page.locator(".color-glow3.effect-slide", { hasText: /^as one$/ })).toHaveCount(1);
  await expect(page.locator(".color-rainbow.effect-wave2", { hasText: /^before the color$/ })).toHaveCount(1);
  const first = page.locator(".color-red.effect-wave");
  await expect(first.locator('[role=img][aria-label="after the color"]')).toHaveCount(1);
  await expect(first.locator(".piece")).toHaveCount("afterthecolor".length);
  expect(await colorOf(page, ".color-red")).toBe("rgb(255, 92, 92)");
  expect(await motions(page, ".color-red .piece")).toEqual(["wave"]);
  expect(await motions(page, ".effect-slide")).toEqual(["glow3", "slide"]);
}

async function goesOn(page: Page, server: Server, twitch: Twitch) {
  await open(page, server);
  for (let line = 1; line <= 5; line++) twitch.say(CHANNEL, `line ${line}`);
  await expect(said(page, "line 5")).toHaveCount(1);
  await page.evaluate(() => Object.assign(window, { unreloaded: true }));

  await server.kill();
  await server.start();
  await twitch.joined(CHANNEL);
  for (let line = 6; line <= 9; line++) twitch.say(CHANNEL, `line ${line}`);

  await expect(said(page, "line 9")).toHaveCount(1);
  expect(await numbers(page)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await page.evaluate(() => "unreloaded" in window)).toBe(true);
}

async function takesAway(page: Page, server: Server, twitch: Twitch) {
  await open(page, server);
  const id = twitch.say(CHANNEL, "a spoiler");
  twitch.say(CHANNEL, "spam", { login: "spammer", userId: "666" });
  twitch.say(CHANNEL, "nice jump", { login: "quill", userId: "90211" });
  await expect(page.locator(".chat-message")).toHaveCount(3);

  twitch.remove(CHANNEL, id);
  twitch.timeout(CHANNEL, "spammer", "666", 600);

  await expect(page.locator(".chat-message")).toHaveCount(1);
  await expect(said(page, "nice jump")).toHaveCount(1);
}

test("a message has everything that style sheets were promised", async ({ page, server, twitch }) => {
  await hooks(page, server, twitch);
});

test("colors and effects go together in either order", async ({ page, server, twitch }) => {
  await colors(page, server, twitch);
});

test("when the server was killed, nothing is missing and nothing comes twice", async ({ page, server, twitch }) => {
  await goesOn(page, server, twitch);
});

test("what a moderator removes leaves at once", async ({ page, server, twitch }) => {
  await takesAway(page, server, twitch);
});

test("what a moderator removes leaves every room of a shared session", async ({ owner, page, context, server, twitch }) => {
  const guest = await context.newPage();
  await add(owner, "next_door");
  await twitch.joined("next_door");
  await open(guest, server);
  const id = twitch.say(CHANNEL, "a spoiler");
  await expect(said(guest, "a spoiler")).toHaveCount(1);
  await page.goto(`${server.address}/?popout`);
  await expect(page.getByText("Chat appears here.")).toBeVisible();
  twitch.copy("next_door", "a spoiler", CHANNEL, id);
  twitch.say("next_door", "harmless");
  // The one page began before the line itself was typed, and the other after.
  for (const each of [guest, page]) {
    await expect(said(each, "harmless")).toHaveCount(1);
    await expect(said(each, "a spoiler")).toHaveCount(1);
  }

  twitch.remove(CHANNEL, id);

  for (const each of [guest, page]) await expect(said(each, "a spoiler")).toHaveCount(0);
  await expect(page.locator(".chat-message")).toHaveCount(1);
});

test("what is removed while the line is down is hidden, and does not come back", async ({ page, server, twitch }) => {
  let isCut = false;
  let cut = async () => {};
  await page.routeWebSocket(/\/ws\/chat/, (line) => {
    if (isCut) return void line.close();
    line.connectToServer();
    cut = () => line.close();
  });
  await open(page, server);
  const id = twitch.say(CHANNEL, "a spoiler");
  twitch.say(CHANNEL, "harmless");
  await expect(page.locator(".chat-message")).toHaveCount(2);

  isCut = true;
  await cut();
  twitch.remove(CHANNEL, id);
  await expect(page.getByText("No connection to the server")).toBeVisible();
  await expect(said(page, "a spoiler")).toBeHidden();
  isCut = false;
  await page.evaluate(() => window.dispatchEvent(new Event("online")));

  await expect(said(page, "harmless")).toBeVisible();
  await expect(said(page, "a spoiler")).toHaveCount(0);
});

test("what is purged leaves, and the rest stays, once and in order", async ({ page, server, twitch }) => {
  await open(page, server);
  twitch.say(CHANNEL, "line 1", { tags: { "tmi-sent-ts": "1767225600000" } });
  for (let line = 2; line <= 4; line++) twitch.say(CHANNEL, `line ${line}`);
  await expect(said(page, "line 4")).toBeVisible();
  await said(page, "line 3").evaluate((line) => Object.assign(line, { untouched: true }));

  const answer = await page.evaluate(async () => {
    const asked = { method: "POST", headers: { "content-type": "application/json" }, body: '{"before_ts":1767225600001}' };
    return (await fetch("/api/messages/purge", asked)).json();
  });

  expect(answer).toEqual({ deleted: 1 });
  await expect(said(page, "line 1")).toHaveCount(0);
  twitch.say(CHANNEL, "line 5");
  await expect(said(page, "line 5")).toBeVisible();
  expect(await numbers(page)).toEqual([2, 3, 4, 5]);
  expect(await said(page, "line 3").evaluate((line) => "untouched" in line)).toBe(true);
});

test("what looks like markup is text", async ({ page, server, twitch }) => {
  await open(page, server);
  const nasty = `<img src=x onerror="document.title='owned'"><b>hi</b>`;

  twitch.say(CHANNEL, nasty, { name: "<i>mara</i>" });
  twitch.say(CHANNEL, `wave: ${nasty}`);

  await expect(said(page, nasty)).toHaveCount(2);
  await expect(page.locator(".message-text b, .message-text img, .sender i")).toHaveCount(0);
  await expect(page).toHaveTitle("Chat Display");
});

test("a scene's own style sheet wins, as it comes last", async ({ page, server, twitch }) => {
  await open(page, server);
  twitch.say(CHANNEL, "glow1: style me");
  await expect(said(page, "style me")).toBeVisible();

  // What OBS adds by itself, and what a streamer may have written below it.
  await page.addStyleTag({
    content: `body { background-color: rgba(0, 0, 0, 0); margin: 0px auto; overflow: hidden; }
      #chat-container { background: transparent } .message-username { color: rgb(1, 2, 3) } .message-text { font-size: 30px }
      .chat-message { padding: 9px; margin: 5px; animation: none } .color-glow1 { animation: none } .sender { font-weight: 400 } .emote-image { height: 50px } .platform-icon { display: none }`,
  });

  await expect(page.locator(".message-username")).toHaveCSS("color", "rgb(1, 2, 3)");
  await expect(page.locator(".message-text")).toHaveCSS("font-size", "30px");
  await expect(page.locator(".chat-message")).toHaveCSS("padding", "9px");
  await expect(page.locator(".platform-icon")).toBeHidden();
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  expect((await said(page, "style me").boundingBox())?.y).toBeGreaterThan(600);
  for (const place of ["html", "body", "#chat-container"]) {
    await expect(page.locator(place)).toHaveCSS("background-color", "rgba(0, 0, 0, 0)");
  }
});

test("with nothing but what OBS adds, it is black", async ({ page, server }) => {
  await open(page, server, "?theme=none&popout=1");

  await page.addStyleTag({ content: "body { background-color: rgba(0, 0, 0, 0); margin: 0px auto; overflow: hidden; }" });

  await expect(page.locator("#chat-container")).toHaveCSS("background-color", "rgb(0, 0, 0)");
  expect((await page.locator("#chat-container").boundingBox())?.height).toBe(page.viewportSize()?.height);
});

test("in a scene there is chat and no other word", async ({ page, server, twitch }) => {
  await page.addInitScript(() => Object.assign(window, { obsstudio: {} }));
  await page.goto(`${server.address}/?popout`);
  twitch.say(CHANNEL, "hello scene");
  await expect(said(page, "hello scene")).toBeVisible();

  await server.kill();

  await expect(said(page, "hello scene")).toBeHidden();
  await expect(page.locator("body")).not.toContainText("connection");
});

test("hidden people stay hidden, and Ctrl with a click hides one more", async ({ page, server, twitch }) => {
  await keeps(page, { blacklist: ["Quill", 7] });
  await open(page, server);
  twitch.say(CHANNEL, "from a hidden one", { login: "quill", name: "Quill", userId: "90211" });
  twitch.say(CHANNEL, "one too many");
  twitch.say(CHANNEL, "still here", { login: "fen", userId: "6" });
  await expect(said(page, "still here")).toBeVisible();
  await expect(page.locator(".chat-message")).toHaveCount(2);

  page.once("dialog", (dialog) => dialog.dismiss());
  await said(page, "one too many").click({ modifiers: ["Control"] });
  await expect(page.locator(".chat-message")).toHaveCount(2);
  page.once("dialog", (dialog) => dialog.accept());
  await said(page, "one too many").click({ modifiers: ["Control"] });

  await expect(page.locator(".chat-message")).toHaveCount(1);
  expect(await page.evaluate(() => localStorage.getItem("blacklist"))).toBe('["Quill",7,"mara_vale"]');
});

test("a kept list that is no list is left as it is", async ({ page, server, twitch }) => {
  await keeps(page, { blacklist: "{broken", "elora.settings.v2": "[]" });
  await open(page, server);
  twitch.say(CHANNEL, "one too many");
  await expect(said(page, "one too many")).toBeVisible();

  page.once("dialog", (dialog) => dialog.accept());
  await said(page, "one too many").click({ modifiers: ["Control"] });

  await expect(page.locator(".chat-message")).toHaveCount(0);
  expect(await page.evaluate(() => localStorage.getItem("blacklist"))).toBe("{broken");
});

test("history comes first where the settings ask for it, and badges only if wanted", async ({ page, context, server, twitch }) => {
  await open(page, server);
  twitch.say(CHANNEL, "before", { badges: "moderator/1" });
  await expect(said(page, "before").locator(".badge-icon")).toBeVisible();
  const later = await context.newPage();
  await later.goto(`${server.address}/?popout`);
  await expect(later.getByText("Chat appears here.")).toBeVisible();

  await page.evaluate(() => localStorage.setItem("elora.settings.v2", '{"fetchHistoryOnLoad":true,"showBadges":false}'));
  await page.reload();

  await expect(said(page, "before")).toBeVisible();
  await expect(page.locator(".badge-icon")).toHaveCount(0);
  await expect(later.locator(".chat-message")).toHaveCount(0);
});

test("a page that began with nothing brings up nothing older when it comes back", async ({ page, server, twitch }) => {
  await open(page, server);
  twitch.say(CHANNEL, "before it was opened");
  await expect(said(page, "before it was opened")).toBeVisible();
  await page.reload();
  await expect(page.getByText("Chat appears here.")).toBeVisible();

  await server.kill();
  await server.start();
  await twitch.joined(CHANNEL);
  twitch.say(CHANNEL, "after");

  await expect(said(page, "after")).toBeVisible();
  await expect(page.locator(".chat-message")).toHaveCount(1);
});

test("the page keeps a bounded number of lines, the newest at the end", async ({ page, server, twitch }) => {
  await open(page, server);

  await fill(page, twitch, 1, 700);

  await expect(page.locator(".chat-message")).toHaveCount(300);
  expect((await numbers(page)).at(0)).toBe(401);
  expect(await belowEnd(page)).toBe(0);
});

test("scrolling up pauses, lines are counted meanwhile, and a click goes on", async ({ page, server, twitch }) => {
  await open(page, server);
  await fill(page, twitch);
  await scrollUp(page);
  const pill = page.locator("#pauseOverlay");
  await expect(pill).toHaveText("paused");
  const top = () => said(page, "line 40").evaluate((line) => Math.round(line.getBoundingClientRect().top));
  const before = await top();

  twitch.say(CHANNEL, "meanwhile 1");
  await expect(pill).toHaveText("1 new");
  await fill(page, twitch, 81, 90);
  await expect(pill).toHaveText("11 new");

  expect(await top()).toBe(before);
  await pill.click();
  await expect(pill).toBeHidden();
  await expect.poll(() => belowEnd(page)).toBe(0);
});

test("scrolling down to the end goes on", async ({ page, server, twitch }) => {
  await open(page, server);
  await fill(page, twitch);
  await scrollUp(page);

  await page.mouse.wheel(0, 500);

  await expect(page.locator("#pauseOverlay")).toBeHidden();
  twitch.say(CHANNEL, "and on");
  await expect(said(page, "and on")).toBeInViewport();
});

test("keys pause, walk through lines and hide words", async ({ page, server, twitch }) => {
  await open(page, server);
  await fill(page, twitch, 1, 5);

  await page.keyboard.press("p");
  await expect(page.locator("#pauseOverlay")).toHaveText("paused");
  await page.keyboard.press("P");
  await expect(page.locator("#pauseOverlay")).toBeHidden();
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("h");
  await expect(said(page, "line 4")).toHaveCount(0);
  await page.keyboard.press("H");
  await expect(said(page, "line 4")).toBeFocused();
  await said(page, "line 2").click({ modifiers: ["Shift"] });
  await expect(said(page, "line 2")).toHaveCount(0);
  await page.keyboard.press("?");
  await expect(page.getByRole("heading", { name: "Keys" })).toBeVisible();
});

test("where less motion is wanted, nothing moves", async ({ page, server, twitch }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await open(page, server);

  twitch.say(CHANNEL, "flash1:shake: steady");

  await expect(said(page, "steady")).toBeVisible();
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
});

test("the dashboard opens it in a window of its own", async ({ owner, context, server, twitch }) => {
  const opened = context.waitForEvent("page");
  await owner.locator("#header #popout-chat-button").click();
  const window = await opened;

  await expect(window).toHaveURL(`${server.address}/?popout`);
  await expect(window.getByText("Chat appears here.")).toBeVisible();
  twitch.say(CHANNEL, "in both");
  await expect(said(window, "in both")).toBeVisible();
  const line = owner.locator('#chat-container .chat-message[data-author="mara_vale"]');
  await expect(line.locator(".message-username")).toHaveText("mara_vale");
  await expect(line.locator(".message-text")).toHaveText("in both");
});

test.describe("in the Chromium of OBS 28 to 30", () => {
  const old = chromium103();
  if ("missing" in old) skipped(`the pop-out in the Chromium of OBS 28 to 30. ${old.missing}`);

  const ways = { "has its hooks": hooks, "has colors and effects": colors, "goes on after a kill": goesOn, "takes removed lines away": takesAway };
  for (const [what, way] of Object.entries(ways)) {
    test(`the pop-out ${what}`, async ({ server, twitch }) => {
      test.skip("missing" in old, "missing" in old ? old.missing : "");
      if ("missing" in old) return;
      const browser = await chromium.launch({ executablePath: old.path, args: FLAGS });
      const page = await browser.newPage({ viewport: { width: 400, height: 700 } });
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));
      await drawEmotes(page);

      await way(page, server, twitch);

      expect(browser.version()).toMatch(/^103\./);
      expect(errors).toEqual([]);
      await browser.close();
    });
  }
});
