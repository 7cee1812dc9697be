// What every browser test begins with: a stand-in Twitch, a server that listens to it, and a page.

import { expect, test as base, type Page } from "../../frontend/browser";
import { Server } from "./server";
import { Twitch } from "./twitch";

export { expect, type Browser, type Locator, type Page } from "../../frontend/browser";

interface Setting {
  /** Settings of the server, beyond where Twitch is. */
  env: Record<string, string>;
  twitch: Twitch;
  server: Server;
  /** A page in the owner's browser, on the dashboard. */
  owner: Page;
}

/** Where Twitch keeps emotes, and what is there in these tests. */
const PICTURES = "https://static-cdn.jtvnw.net";
const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" width="56" height="56"><circle cx="28" cy="28" r="26" fill="#ffcc33"/></svg>`;

/** Answers for Twitch's pictures. */
export async function drawEmotes(page: Page) {
  await page.route(`${PICTURES}/**`, (route) => route.fulfill({ contentType: "image/svg+xml", body: PICTURE }));
}

export const CHANNEL = "pixelforge";

export const test = base.extend<Setting>({
  env: [{}, { option: true }],
  twitch: async ({}, use) => {
    const twitch = await Twitch.start();
    await use(twitch);
    await twitch.stop();
  },
  server: async ({ twitch, env }, use) => {
    const server = await Server.start(twitch, env);
    await use(server);
    await server.stop();
  },
  page: async ({ page }, use) => {
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (said) => void (/Content Security Policy/.test(said.text()) && faults.push(said.text())));
    await drawEmotes(page);
    await use(page);
    expect(faults).toEqual([]);
  },
  owner: async ({ page, server }, use) => {
    await page.goto(server.link);
    await page.waitForURL(`${server.address}/`);
    await use(page);
  },
});

/** Pastes a channel's address into the field that the page offers. */
export async function add(page: Page, source: string) {
  const field = page.getByLabel("Channel address or name");
  await field.fill(source);
  await field.press("Enter");
}

/** The lines of the dashboard that hold this text. */
export function lines(page: Page, text: string | RegExp) {
  return page.getByRole("article").filter({ hasText: text });
}

/** The lines of an overlay that hold this text. */
export function overlayLines(page: Page, text: string) {
  return page.locator(".msg").filter({ hasText: text });
}

/** The server's address with the overlay's path. */
export function overlay(server: Server, query = ""): string {
  return `${server.address}/overlay/chat${query}`;
}
