// Every page in its states, held against the rules of accessibility, and left as a picture in frontend/test-results
// for people to look at.

import { AXE } from "../../frontend/browser";
import { add, CHANNEL, drawEmotes, expect, lines, overlay, overlayLines, test, type Page } from "./setting";
import type { Twitch } from "./twitch";

/** Nothing listens there, ever: a port of its own for discarding. */
const NOWHERE = "ws://127.0.0.1:9";

interface Flaw {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

/** What axe holds against the page, in a form worth reading. */
async function flaws(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: () => Promise<{ violations: Flaw[] }> } };
    return (await axe.run()).violations;
  });
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}

async function isWiderThanScreen(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

async function talk(page: Page, twitch: Twitch) {
  await add(page, CHANNEL);
  await twitch.joined(CHANNEL);
  await add(page, "harborlights");
  await twitch.joined("harborlights");
  twitch.say("harborlights", "the fog is coming in", { login: "keeper", color: "#DAA520" });
  const others = { quill: "#0000FF", ironwren: "#1E90FF", fen: "#FF69B4", harbor: "#222222", nima: "#FFFF00" };
  for (const [login, color] of Object.entries(others)) twitch.say(CHANNEL, `hello from ${login}`, { login, color, userId: login });
  twitch.say(CHANNEL, "مرحبا بالجميع", { name: "نور الصباح", login: "noor", color: "" });
  twitch.say(CHANNEL, "nice Kappa one", { emotes: "25:5-9", badges: "broadcaster/1,subscriber/3012,partner/1,bits/1000" });
  twitch.say(CHANNEL, "x".repeat(480), { login: "pip", color: "" });
  twitch.raid(CHANNEL, "HarborLights", 1283);
  const gone = twitch.say(CHANNEL, "gone");
  twitch.remove(CHANNEL, gone);
  twitch.say(CHANNEL, "the last line");
  await expect(lines(page, "the last line")).toBeVisible();
}

for (const colorScheme of ["dark", "light"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("a busy dashboard", async ({ owner, twitch }, info) => {
      await talk(owner, twitch);

      await owner.screenshot({ path: info.outputPath("busy.png") });
      expect(await flaws(owner)).toEqual([]);
    });

    test("an empty dashboard", async ({ owner }, info) => {
      await expect(owner.getByRole("heading", { name: "No channel yet" })).toBeVisible();

      await owner.screenshot({ path: info.outputPath("empty.png") });
      expect(await flaws(owner)).toEqual([]);
    });

    test.describe("without Twitch", () => {
      test.use({ env: { TWITCH_IRC_URL: NOWHERE, TWITCH_CHANNELS: CHANNEL } });

      test("a dashboard whose channel cannot be reached", async ({ owner }, info) => {
        const card = owner.locator(`[data-source="twitch:${CHANNEL}"]`);
        await expect(card).toHaveAttribute("data-state", "backoff");
        await expect(card.locator(".reason")).not.toBeEmpty();

        await owner.screenshot({ path: info.outputPath("failing.png") });
        expect(await flaws(owner)).toEqual([]);
      });
    });

    test("a dashboard that lost its server", async ({ owner, server, twitch }, info) => {
      await talk(owner, twitch);
      await server.kill();
      await expect(owner.getByText("No connection to the server")).toBeVisible();

      await owner.screenshot({ path: info.outputPath("lost.png") });
      expect(await flaws(owner)).toEqual([]);
    });

    test("the page for an address that has none", async ({ page, server }, info) => {
      await page.goto(`${server.address}/nothing`);
      await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();

      await page.screenshot({ path: info.outputPath("not-found.png") });
      expect(await flaws(page)).toEqual([]);
    });

    test("the page for a link that was used", async ({ page, server }, info) => {
      await page.goto(`${server.address}/login?code=used`);
      await expect(page.getByRole("heading", { name: "This link no longer works" })).toBeVisible();

      await page.screenshot({ path: info.outputPath("login.png") });
      expect(await flaws(page)).toEqual([]);
    });
  });
}

for (const [name, viewport] of Object.entries({
  "a screen of 320 pixels": { width: 320, height: 640 },
  "a small window at 200 %": { width: 640, height: 400 },
})) {
  test.describe(name, () => {
    test.use({ viewport });

    test("the dashboard fits", async ({ owner, twitch }, info) => {
      expect(await isWiderThanScreen(owner)).toBe(false);
      await talk(owner, twitch);

      await owner.screenshot({ path: info.outputPath("small.png") });
      expect(await isWiderThanScreen(owner)).toBe(false);
      await expect(lines(owner, "the last line")).toBeInViewport();
      expect(await flaws(owner)).toEqual([]);
    });
  });
}

test("the overlay over a scene", async ({ owner, page, server, twitch }, info) => {
  await talk(owner, twitch);
  await page.setViewportSize({ width: 500, height: 800 });
  await page.goto(overlay(server));
  await page.addStyleTag({ content: "html { background: linear-gradient(160deg, #27435c, #7a9a6a 55%, #d9c79a) !important }" });
  await expect(overlayLines(page, "the last line")).toHaveCount(1);

  await page.screenshot({ path: info.outputPath("overlay.png") });
  expect(await isWiderThanScreen(page)).toBe(false);
});

test("the pop-out, empty and with everything in it", async ({ owner, context, server, twitch }, info) => {
  const page = await context.newPage();
  await drawEmotes(page);
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto(`${server.address}/?popout`);
  await expect(page.getByText("Chat appears here.")).toBeVisible();
  expect(await flaws(page)).toEqual([]);
  await talk(owner, twitch);
  twitch.say(CHANNEL, "wave:rainbow: all colors", { login: "quill", userId: "90211" });
  await expect(page.getByRole("img", { name: "all colors" })).toBeVisible();

  await page.screenshot({ path: info.outputPath("popout.png") });
  expect(await isWiderThanScreen(page)).toBe(false);
  expect(await flaws(page)).toEqual([]);
});
