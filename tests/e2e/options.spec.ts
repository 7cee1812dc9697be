// Every option that the README promises for the overlay, tried in the page.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { add, CHANNEL, expect, overlay, overlayLines, test, type Page } from "./setting";
import type { Twitch } from "./twitch";

/** Options that leave every line out, so that there is none to wait for. */
const NOTHING = ["fade=1", "platforms=youtube", "channel=twitch:elsewhere"];

/** What to look at once the overlay is open with the option, and has been told of the lines below. */
const PROMISES: Record<string, [query: string, holds: (page: Page) => Promise<void>][]> = {
  limit: [["limit=2", (page) => expect(page.locator(".msg")).toHaveCount(2)]],
  fade: [["fade=1", (page) => expect(page.locator(".msg")).toHaveCount(0)]],
  size: [
    ["size=40", (page) => expect(container(page)).toHaveCSS("font-size", "40px")],
    ["size=3", (page) => expect(container(page)).toHaveCSS("font-size", "48px")],
  ],
  font: [["font=DejaVu Serif", (page) => expect(container(page)).toHaveCSS("font-family", /^"DejaVu Serif"/)]],
  stroke: [["stroke=0", (page) => expect(container(page)).not.toHaveCSS("text-shadow", /0\.85/)]],
  shadow: [["shadow=0&stroke=0", (page) => expect(container(page)).toHaveCSS("text-shadow", "none")]],
  align: [["align=right", (page) => expect(container(page)).toHaveCSS("text-align", "right")]],
  background: [["background=102030", (page) => expect(page.locator(".msg").first()).toHaveCSS("background-color", "rgb(16, 32, 48)")]],
  background_opacity: [
    ["background=102030&background_opacity=50", (page) => expect(page.locator(".msg").first()).toHaveCSS("background-color", "rgba(16, 32, 48, 0.5)")],
  ],
  text_color: [["text_color=ffcc00", (page) => expect(page.locator(".msg__text").first()).toHaveCSS("color", "rgb(255, 204, 0)")]],
  text_opacity: [["text_color=ffcc00&text_opacity=40", (page) => expect(page.locator(".msg__text").first()).toHaveCSS("color", "rgba(255, 204, 0, 0.4)")]],
  hide_badges: [["hide_badges", (page) => expect(page.locator(".msg__badge")).toHaveCount(0)]],
  hide_commands: [["hide_commands", (page) => expect(overlayLines(page, "!uptime")).toHaveCount(0)]],
  names: [["names=0", (page) => expect(page.locator(".msg__name")).toHaveCount(0)]],
  bots: [["bots=0", (page) => expect(overlayLines(page, "drink water")).toHaveCount(0)]],
  alerts: [["alerts=0", (page) => expect(overlayLines(page, "raiders")).toHaveCount(0)]],
  block: [["block=Quill,somebody", (page) => expect(overlayLines(page, "from quill")).toHaveCount(0)]],
  platforms: [
    ["platforms=youtube", (page) => expect(page.locator(".msg")).toHaveCount(0)],
    ["platforms=twitch,kick", (page) => expect(overlayLines(page, "the last")).toHaveCount(1)],
  ],
  channel: [
    ["channel=twitch:elsewhere", (page) => expect(page.locator(".msg")).toHaveCount(0)],
    [`channel=twitch:${CHANNEL}`, (page) => expect(overlayLines(page, "the last")).toHaveCount(1)],
  ],
  platform_icon: [["platform_icon=1", (page) => expect(page.locator(".msg__platform svg").first()).toBeVisible()]],
  timestamps: [["timestamps", (page) => expect(page.locator(".msg__time").first()).toHaveText(/^\d\d:\d\d$/)]],
  newline: [["newline", (page) => expect(page.locator(".msg__text").first()).toHaveCSS("display", "block")]],
  reverse: [["reverse", async (page) => expect(await top(page, "the last")).toBeLessThan(await top(page, "from quill"))]],
  small_caps: [["small_caps", (page) => expect(container(page)).toHaveCSS("font-variant-caps", "small-caps")]],
  prevent_clipping: [["prevent_clipping", (page) => expect(container(page)).toHaveCSS("flex-wrap", "wrap")]],
  emote_scale: [["emote_scale=2&size=20", (page) => expect(page.locator(".emote").first()).toHaveCSS("height", "70px")]],
  motion: [
    ["motion=soft", (page) => expect(page.locator(".msg").first()).toHaveCSS("animation-name", "ov-in-soft")],
    ["motion=none", (page) => expect(page.locator(".msg").first()).toHaveCSS("animation-name", "none")],
  ],
  demo: [["demo", (page) => expect(overlayLines(page, "this overlay is set up with demo chat")).toHaveCount(1)]],
  debug: [["debug", (page) => expect(page.locator(".debug")).toContainText("open")]],
};

/** What the table calls more than one, or spells with a value. */
function promised(): string[] {
  const readme = readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8");
  const table = readme.slice(readme.indexOf("| option |"), readme.indexOf("Custom CSS in OBS"));
  const first = table.split("\n").slice(2).map((row) => row.split("|")[1] ?? "");
  return first.flatMap((cell) => [...cell.matchAll(/`([a-z_]+)(?:=\d)?`/g)].map((match) => match[1]!));
}

function container(page: Page) {
  return page.locator("#chat_container");
}

async function top(page: Page, text: string): Promise<number> {
  return (await overlayLines(page, text).boundingBox())!.y;
}

function talk(twitch: Twitch) {
  twitch.say(CHANNEL, "hello from quill", { login: "quill", userId: "90211", badges: "moderator/1" });
  twitch.say(CHANNEL, "!uptime");
  twitch.say(CHANNEL, "drink water", { login: "nightbot", userId: "19264788" });
  twitch.say(CHANNEL, "nice Kappa one", { emotes: "25:5-9" });
  twitch.raid(CHANNEL, "HarborLights", 1283);
  twitch.say(CHANNEL, "the last");
}

test("the README's table names every option that is tried here, and no other", () => {
  expect(promised().sort()).toEqual(Object.keys(PROMISES).sort());
});

test("every option of the overlay does what the README says", async ({ owner, context, server, twitch }) => {
  // A page load per option.
  test.slow();
  const faults: string[] = [];
  owner.on("pageerror", (error) => faults.push(error.message));
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);
  talk(twitch);
  await owner.goto(overlay(server));
  await expect(overlayLines(owner, "the last")).toHaveCount(1);
  await expect(owner.locator(".msg")).toHaveCount(6);
  await expect(owner.locator(".msg__platform")).toHaveCount(0);

  const witness = await context.newPage();
  await witness.goto(overlay(server));

  for (const [query, holds] of Object.values(PROMISES).flat()) {
    await test.step(query, async () => {
      await owner.goto(overlay(server, `?${query}&debug`));
      await expect(owner.locator(".debug")).toContainText(query === "demo" ? "demo" : "open");
      if (NOTHING.includes(query)) {
        twitch.say(CHANNEL, `told of ${query}`);
        await expect(overlayLines(witness, `told of ${query}`)).toHaveCount(1);
      } else if (query !== "demo") {
        await expect(owner.locator(".msg").filter({ hasText: /the last|told of/ }).first()).toBeAttached();
      }
      await holds(owner);
    });
  }

  expect(faults).toEqual([]);
});
