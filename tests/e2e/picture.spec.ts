// The picture of the README: the real program with two channels, and its overlay over a scene. `make screenshot` keeps it.

import { statSync } from "node:fs";
import { add, expect, lines, overlay, overlayLines, test, type Page } from "./setting";
import type { Twitch } from "./twitch";

const FORGE = "pixelforge";
const HARBOR = "harborlights";

const DASHBOARD = { width: 1140, height: 790 };
const SCENE_WIDTH = 440;
const OVERLAY = { width: 400, height: 560 };

const MOST_BYTES = 500_000;

interface Spoken {
  channel: string;
  /** Seconds before the newest line. */
  ago: number;
  login: string;
  text: string;
  tags?: Record<string, string>;
}

/** Looks of the people in it. */
const PEOPLE: Record<string, { name: string; color: string; badges?: string }> = {
  pixelforge: { name: "PixelForge", color: "#2E8B57", badges: "broadcaster/1,subscriber/12" },
  mara_vale: { name: "Mara_Vale", color: "#8AE020", badges: "subscriber/6" },
  quill: { name: "Quill", color: "#1E6BFF", badges: "moderator/1,subscriber/24" },
  velvetowl: { name: "VelvetOwl", color: "#FF7F50", badges: "vip/1" },
  tomo_draws: { name: "ともみ", color: "#8A7BFF", badges: "subscriber/14" },
  fen: { name: "fen", color: "#FF5FA8" },
  noor: { name: "نور", color: "#E0554B" },
  ironwren: { name: "IronWren", color: "#1E90FF", badges: "premium/1" },
  dockhand: { name: "dockhand", color: "#DAA520" },
  keeper: { name: "Keeper", color: "#36C8C8", badges: "moderator/1" },
  pip: { name: "pip", color: "#C9A227" },
};

/** Emotes that only this picture has: their word, and what is drawn for it. */
const EMOTES: Record<string, { id: string; drawn: string }> = {
  forgeWow: { id: "forge1", drawn: "😮" },
  forgeJoy: { id: "forge2", drawn: "😂" },
  forgeHeart: { id: "forge3", drawn: "💜" },
  harborBoat: { id: "harbor1", drawn: "⛵" },
};

const SCRIPT: Spoken[] = [
  { channel: FORGE, ago: 176, login: "mara_vale", text: "the new parallax is gorgeous" },
  { channel: HARBOR, ago: 168, login: "dockhand", text: "evening all, what are we painting tonight?" },
  { channel: HARBOR, ago: 163, login: "keeper", text: "fog over the pier, then the lighthouse harborBoat" },
  { channel: FORGE, ago: 151, login: "fen", text: "how did you get up there??", tags: { "first-msg": "1" } },
  {
    channel: FORGE, ago: 142, login: "quill", text: "second ledge on the left, then the lamp",
    tags: { "reply-parent-display-name": "fen", "reply-parent-msg-body": "how did you get up there??", "reply-parent-msg-id": "parent", "reply-parent-user-id": "6", "reply-parent-user-login": "fen" },
  },
  { channel: FORGE, ago: 130, login: "tomo_draws", text: "こんにちは！今日も楽しみにしてました 🎉" },
  { channel: HARBOR, ago: 96, login: "velvetowl", text: "that blue is exactly right" },
  { channel: HARBOR, ago: 88, login: "noor", text: "مساء الخير من الإسكندرية" },
  { channel: FORGE, ago: 61, login: "pixelforge", text: "welcome raiders! forgeWow we are two rooms from the boss" },
  { channel: FORGE, ago: 57, login: "ironwren", text: "hello from the kite crew 🪁" },
  { channel: FORGE, ago: 50, login: "pip", text: "\u0001ACTION waves at the raiders\u0001" },
  { channel: HARBOR, ago: 44, login: "dockhand", text: "is the sea always this loud? harborBoat harborBoat" },
  { channel: FORGE, ago: 37, login: "mara_vale", text: "the map is at example.com/atlas by the way" },
  { channel: FORGE, ago: 29, login: "quill", text: "@IronWren no hints for the next room please" },
  { channel: HARBOR, ago: 24, login: "keeper", text: "a little more light on the water" },
  { channel: FORGE, ago: 16, login: "tomo_draws", text: "その服かわいい！ forgeHeart" },
  { channel: FORGE, ago: 11, login: "fen", text: "forgeJoy forgeJoy" },
  { channel: HARBOR, ago: 6, login: "velvetowl", text: "I could watch this all night" },
  { channel: FORGE, ago: 2, login: "pip", text: "the music just changed, oh no" },
];

function speak(twitch: Twitch, spoken: Spoken) {
  const { name, color, badges } = PEOPLE[spoken.login]!;
  const { channel, login, text } = spoken;
  const tags = { ...stamp(spoken.ago), ...spoken.tags };
  return twitch.say(channel, text, { login, name, color, userId: login, emotes: places(text), tags, ...(badges ? { badges } : {}) });
}

function stamp(ago: number) {
  return { "tmi-sent-ts": String(Date.now() - ago * 1_000) };
}

/** Where emotes are, as the tag says it: `25:0-4,6-10`. */
function places(text: string): string {
  const found = Object.entries(EMOTES).map(([word, { id }]) => {
    const at = [...text.matchAll(new RegExp(`\\b${word}\\b`, "g"))].map(({ index }) => `${index}-${index + word.length - 1}`);
    return at.length > 0 ? `${id}:${at.join(",")}` : "";
  });
  return found.filter(Boolean).join("/");
}

async function evening(page: Page, twitch: Twitch) {
  for (const channel of [FORGE, HARBOR]) {
    await add(page, `twitch.tv/${channel}`);
    await twitch.joined(channel);
    await expect(page.locator(`[data-source="twitch:${channel}"]`)).toHaveAttribute("data-state", "live");
  }
  for (const spoken of SCRIPT) {
    if (spoken.ago === 96) {
      const rude = speak(twitch, { channel: FORGE, ago: 121, login: "fen", text: "the ending is that the lamp was alive" });
      twitch.remove(FORGE, rude, "fen");
      twitch.notice(FORGE, {
        ...stamp(112), badges: "subscriber/14", color: "#8A7BFF", "display-name": "ともみ", login: "tomo_draws", "user-id": "tomo_draws", "msg-id": "resub",
        "msg-param-cumulative-months": "14", "msg-param-sub-plan": "1000", "msg-param-months": "0", "msg-param-should-share-streak": "0",
        "system-msg": "ともみ subscribed at Tier 1. They've subscribed for 14 months!",
      }, "best corner of the internet");
    }
    if (spoken.ago === 61) {
      twitch.notice(FORGE, {
        ...stamp(70), color: "#FF7F50", "display-name": "CopperKite", login: "copperkite", "user-id": "copperkite", "msg-id": "raid",
        "msg-param-displayName": "CopperKite", "msg-param-login": "copperkite", "msg-param-viewerCount": "318", "system-msg": "318 raiders from CopperKite have joined!",
      });
    }
    speak(twitch, spoken);
  }
  await expect(lines(page, "the music just changed")).toBeVisible();
  await expect(page.locator("[data-source]").filter({ hasText: "last line" })).toHaveCount(2);
}

/** Emotes in place of those on Twitch's own server. */
async function draw(page: Page) {
  await page.route("https://static-cdn.jtvnw.net/**", (route) => {
    const drawn = Object.values(EMOTES).find(({ id }) => route.request().url().includes(`/${id}/`))?.drawn ?? "";
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

test.use({ colorScheme: "dark" });

test("the picture of the README", async ({ owner, context, server, twitch }, info) => {
  await owner.setViewportSize(DASHBOARD);
  await draw(owner);
  await evening(owner, twitch);
  const stage = await context.newPage();
  await stage.setViewportSize(OVERLAY);
  await draw(stage);
  await stage.goto(overlay(server, "?size=21&prevent_clipping&motion=none"));
  await expect(overlayLines(stage, "the music just changed")).toBeVisible();
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
