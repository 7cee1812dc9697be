// The picture of the README: the real program playing a part of the recording that ships, and its overlay over a scene.
// `make screenshot` keeps it.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, lines, overlay, overlayLines, test, type Page } from "./setting";

const DASHBOARD = { width: 1140, height: 790 };
const SCENE_WIDTH = 440;
const OVERLAY = { width: 400, height: 560 };

const MOST_BYTES = 500_000;

const RECORDING = resolve(import.meta.dirname, "../../src/platforms/replay/demo.ndjson");

/** What is in the picture, from a line to a line. */
const SCENES = [
  ['"text":"a wall"', "my hands were faster"],
  ["is gifting 6 Tier 1 Subs", "OHM. six!"],
  ["318 raiders", "they are all yours"],
  ["ok. coats on", "WHY DOES IT HAVE A HAT"],
  ["for repairs to the wall", "swing the LAMP"],
] as const;

const LAST = "swing the LAMP";

/** The recording goes on so much later: the picture shows it as it is played, not after its end. */
const LATER_MS = 3_600_000;

/** Writes the scenes to a file of their own, with next to no time between the lines. */
function cut(path: string) {
  const all = readFileSync(RECORDING, "utf8").trim().split("\n");
  const find = (part: string) => all.findIndex((line) => line.includes(part));
  const scenes = SCENES.flatMap(([from, to]) => all.slice(find(from), find(to) + 1));
  const begin = Date.UTC(2026, 0, 9, 20);
  const at = (line: string, ms: number) => JSON.stringify({ ...JSON.parse(line), at: begin + ms });
  const played = [...scenes.map(at), at(all.at(-1)!, LATER_MS)];
  writeFileSync(path, `${played.join("\n")}\n`);
}

/** Emotes in place of those on Twitch's own server. */
const DRAWN: Record<string, string> = { "360": "🤦", "58765": "😱", "196892": "💜" };

async function draw(page: Page) {
  await page.route("https://static-cdn.jtvnw.net/**", (route) => {
    const drawn = DRAWN[/\/v2\/(\w+)\//.exec(route.request().url())?.[1] ?? ""] ?? "🙂";
    const body = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 56 56" width="56" height="56"><text x="28" y="41" font-size="42" text-anchor="middle">${drawn}</text></svg>`;
    return route.fulfill({ contentType: "image/svg+xml", body });
  });
}

/** A game's evening landscape, for the overlay to lie on. */
const SCENE = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 440 790" preserveAspectRatio="xMidYMid slice">
  <defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#1d2b53"/><stop offset=".55" stop-color="#7a4a78"/><stop offset=".8" stop-color="#e39a6b"/></linearGradient></defs>
  <rect width="440" height="790" fill="url(#sky)"/><circle cx="318" cy="180" r="54" fill="#ffd9a0"/>
  <g fill="#ffffff"><circle cx="60" cy="60" r="1.6"/><circle cx="142" cy="112" r="1.2"/><circle cx="226" cy="52" r="1.4"/><circle cx="402" cy="74" r="1.3"/><circle cx="96" cy="190" r="1.1"/></g>
  <path d="M0 520 90 380l70 90 90-150 110 160 80-70v320H0z" fill="#4a3a66"/><path d="M0 600 110 500l90 90 120-110 120 120v190H0z" fill="#33284f"/>
  <path d="M0 690q110-50 220-10t220-20v130H0z" fill="#201a3a"/><rect x="330" y="560" width="22" height="110" fill="#201a3a"/><path d="M322 560h38l-8-22h-22z" fill="#201a3a"/><circle cx="341" cy="549" r="6" fill="#ffe9b0"/>
</svg>`;

test.use({
  colorScheme: "dark",
  env: async ({}, use, info) => {
    const path = info.outputPath("evening.ndjson");
    cut(path);
    await use({ ELORA_INGEST_DRIVER: "replay", ELORA_REPLAY_FILE: path });
  },
});

test("the picture of the README", async ({ owner, context, server }, info) => {
  await owner.setViewportSize(DASHBOARD);
  await draw(owner);
  await owner.reload();
  await expect(lines(owner, LAST)).toBeVisible();
  await expect(owner.locator("[data-source][data-state=live]")).toHaveCount(3);
  const stage = await context.newPage();
  await stage.setViewportSize(OVERLAY);
  await draw(stage);
  await stage.goto(overlay(server, "?size=21&prevent_clipping&motion=none"));
  await expect(overlayLines(stage, LAST)).toBeVisible();
  await owner.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());

  const shots = [await owner.screenshot(), await stage.screenshot({ omitBackground: true })].map((png) => `data:image/png;base64,${png.toString("base64")}`);
  await stage.unroute("https://static-cdn.jtvnw.net/**");
  await stage.goto("about:blank");
  await stage.setViewportSize({ width: DASHBOARD.width + SCENE_WIDTH, height: DASHBOARD.height });
  await stage.setContent(`<body style="margin:0;display:flex;background:#000"><img src="${shots[0]}"><div style="position:relative">${SCENE}<img src="${shots[1]}" style="position:absolute;left:12px;bottom:12px"></div></body>`);
  await stage.addStyleTag({ content: "svg { display: block; width: 440px; height: 790px }" });
  const path = process.env.ELORA_PICTURE ?? info.outputPath("picture.png");
  await stage.screenshot({ path });

  expect(statSync(path).size).toBeLessThan(MOST_BYTES);
});
