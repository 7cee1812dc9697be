import { add, CHANNEL, expect, lines, test } from "./setting";

test("somebody pastes an address and sees chat", async ({ owner, twitch }) => {
  await expect(owner.getByRole("heading", { name: "No channel yet" })).toBeVisible();

  await add(owner, "https://www.twitch.tv/PixelForge");
  await twitch.joined(CHANNEL);
  twitch.say(CHANNEL, "hello from the stream", { name: "Mara_Vale" });

  await expect(lines(owner, "Mara_Vale: hello from the stream")).toBeVisible();
  await expect(owner.locator('[data-source="twitch:pixelforge"]')).toHaveAttribute("data-state", "live");
});

test("addresses pasted one right after the other are all added", async ({ owner, twitch }) => {
  await add(owner, "harborlights");
  await expect(owner.locator('[data-source="twitch:harborlights"]')).toBeVisible();

  for (const name of ["pixelforge", "tidepool", "lanternfish"]) await add(owner, name);

  for (const name of ["pixelforge", "tidepool", "lanternfish"]) await twitch.joined(name);
});

test("an address that is none gets the server's own sentence", async ({ owner }) => {
  await add(owner, "https://example.com/nobody");

  await expect(owner.getByText("is not a channel this program knows")).toBeVisible();
  await expect(owner.getByLabel("Channel address or name")).toHaveValue("https://example.com/nobody");
});

test("what a moderator removes loses its words, and so does all that a timed-out person said", async ({ owner, twitch }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);
  const id = twitch.say(CHANNEL, "the ending is that he was a ghost");
  twitch.say(CHANNEL, "buy followers", { login: "spammer", userId: "666" });
  twitch.say(CHANNEL, "still here", { login: "quill", userId: "90211" });
  await expect(lines(owner, "still here")).toBeVisible();

  twitch.remove(CHANNEL, id);
  twitch.timeout(CHANNEL, "spammer", "666", 600);

  await expect(lines(owner, "message removed")).toHaveCount(2);
  await expect(lines(owner, "spammer was timed out for 10 min")).toBeVisible();
  await expect(owner.getByText("he was a ghost")).toHaveCount(0);
  await expect(owner.getByText("buy followers")).toHaveCount(0);
  await expect(lines(owner, "still here")).toBeVisible();
});

test("an emote is a picture, a badge says what it means", async ({ owner, twitch }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);

  twitch.say(CHANNEL, "well Kappa played", { badges: "moderator/1", emotes: "25:5-9" });

  const line = lines(owner, "well");
  await expect(line.getByRole("img", { name: "Kappa" })).toHaveJSProperty("naturalWidth", 56);
  await expect(line.getByRole("img", { name: "Moderator" })).toBeVisible();
});

test("a raid is a card with the platform's sentence", async ({ owner, twitch }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);

  twitch.raid(CHANNEL, "HarborLights", 1283);

  await expect(lines(owner, "1283 raiders from HarborLights have joined!")).toBeVisible();
});

test("a killed server is told of, and what it heard before and after is there", async ({ owner, twitch, server }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);
  twitch.say(CHANNEL, "before the fall");
  await expect(lines(owner, "before the fall")).toBeVisible();

  await server.kill();
  await expect(owner.getByText("No connection to the server")).toBeVisible();
  await expect(lines(owner, "before the fall")).toBeVisible();
  await server.start();
  await twitch.joined(CHANNEL);
  twitch.say(CHANNEL, "after the fall");

  await expect(lines(owner, "after the fall")).toBeVisible();
  await expect(lines(owner, "before the fall")).toHaveCount(1);
  await expect(owner.getByText("No connection to the server")).toHaveCount(0);
});

test("a channel that was removed by mistake is taken back, another one goes", async ({ owner, twitch }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);
  const card = owner.locator('[data-source="twitch:pixelforge"]');

  await owner.getByRole("button", { name: "Remove pixelforge" }).click();
  await expect(card).toHaveCount(0);
  await owner.getByRole("button", { name: "Undo" }).click();
  await expect(card).toBeVisible();
  const gone = owner.waitForResponse((response) => response.request().method() === "DELETE");
  await owner.getByRole("button", { name: "Remove pixelforge" }).click();

  expect((await gone).status()).toBe(204);
  await expect(owner.getByRole("heading", { name: "No channel yet" })).toBeVisible();
});

test("a channel that is added again before it is gone stays", async ({ owner, twitch }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);
  const card = owner.locator('[data-source="twitch:pixelforge"]');

  await owner.getByRole("button", { name: "Remove pixelforge" }).click();
  await expect(card).toHaveCount(0);
  await add(owner, CHANNEL);

  await expect(card).toBeVisible();
  await expect(owner.getByRole("button", { name: "Undo" })).toHaveCount(0);
});

test("an address without a page says so and leads back", async ({ page, server }) => {
  const answer = await page.goto(`${server.address}/overlay/chatt`);

  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
  await page.getByRole("link", { name: "Open the dashboard" }).click();
  await expect(page).toHaveURL(`${server.address}/`);
});

test("the link to copy carries what was chosen for it", async ({ owner, server }) => {
  await owner.getByLabel("Text").selectOption("large");
  await owner.getByLabel("Fades").selectOption("after 30 s");

  await expect(owner.getByLabel("Overlay link")).toHaveValue(`${server.address}/overlay/chat?size=40&fade=30`);
  await owner.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await owner.getByRole("button", { name: "Copy OBS link" }).click();
  expect(await owner.evaluate(() => navigator.clipboard.readText())).toBe(`${server.address}/overlay/chat?size=40&fade=30`);
});

test("who has not opened the link reads along and finds no buttons to change anything", async ({ page, server }) => {
  await page.goto(server.address);

  await expect(page.getByRole("region", { name: "Channels" }).getByText("elora-chat token --link")).toBeVisible();
  await expect(page.getByLabel("Channel address or name")).toHaveCount(0);
  await expect(page.getByText("has not added a channel yet")).toBeVisible();
});

test("a link that was used says how to get another", async ({ owner, server, browser }) => {
  await expect(owner.getByLabel("Channel address or name")).toBeVisible();
  const other = await browser.newPage();

  const answer = await other.goto(server.link);

  expect(answer?.status()).toBe(401);
  await expect(other.getByRole("heading", { name: "This link no longer works" })).toBeVisible();
  await expect(other.getByText("elora-chat token --link")).toBeVisible();
  await other.close();
});

test.describe("by keyboard", () => {
  test("lines are walked, chat is held, and the newest is one key away", async ({ owner, twitch }) => {
    await add(owner, CHANNEL);
    await twitch.joined(CHANNEL);
    for (let line = 1; line <= 60; line++) twitch.say(CHANNEL, `line number ${line} of the evening`);
    await expect(lines(owner, "line number 60 of the evening")).toBeInViewport();
    await owner.getByRole("log").focus();

    await owner.keyboard.press("k");
    await owner.keyboard.press("k");
    await expect(lines(owner, "line number 59 of the evening")).toBeFocused();
    twitch.say(CHANNEL, "somebody goes on talking");
    await expect(owner.getByRole("button", { name: "1 new line" })).toBeVisible();
    await expect(lines(owner, "line number 59 of the evening")).toBeFocused();

    await owner.keyboard.press("k");
    await owner.keyboard.press("j");
    await expect(lines(owner, "line number 59 of the evening")).toBeFocused();

    await owner.keyboard.press("End");
    await expect(lines(owner, "somebody goes on talking")).toBeInViewport();
    await owner.keyboard.press("Home");
    await expect(lines(owner, "line number 1 of the evening")).toBeInViewport();
    await owner.keyboard.press("Escape");
    await expect(lines(owner, "somebody goes on talking")).toBeInViewport();
  });

  test("the space bar pauses while it is down, or until it is pressed again", async ({ owner, twitch }) => {
    await add(owner, CHANNEL);
    await twitch.joined(CHANNEL);
    twitch.say(CHANNEL, "first");
    await lines(owner, "first").waitFor();
    await owner.getByRole("log").focus();

    await owner.keyboard.down("Space");
    await expect(owner.getByRole("button", { name: "paused" })).toBeVisible();
    twitch.say(CHANNEL, "second");
    await expect(owner.getByRole("button", { name: "1 new line" })).toBeVisible();
    await owner.keyboard.down("Space");
    await owner.keyboard.up("Space");
    await expect(lines(owner, "second")).toBeVisible();

    await owner.keyboard.press("Space");
    await expect(owner.getByRole("button", { name: "paused" })).toBeVisible();
    await owner.keyboard.press("Space");
    await expect(owner.getByRole("button", { name: "paused" })).toHaveCount(0);
  });

  test("a slash goes to the field, a question mark opens the sheet", async ({ owner }) => {
    await expect(owner.getByLabel("Channel address or name")).toBeFocused();
    await owner.getByRole("button", { name: "Keys" }).focus();

    await owner.keyboard.press("/");
    await expect(owner.getByLabel("Channel address or name")).toBeFocused();
    await expect(owner.getByLabel("Channel address or name")).toHaveValue("");
    await owner.getByRole("button", { name: "Keys" }).focus();
    await owner.keyboard.press("?");
    await expect(owner.getByRole("dialog", { name: "Keys" })).toBeVisible();
    await owner.keyboard.press("Escape");
    await expect(owner.getByRole("dialog")).toHaveCount(0);
  });
});

test("a list that gets smaller under somebody's hands goes on following", async ({ owner, twitch }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);
  for (let line = 1; line <= 60; line++) twitch.say(CHANNEL, `line ${line}.`);
  await expect(lines(owner, "line 60.")).toBeInViewport();

  // As when a channel's card comes above the list just after its name was typed.
  await owner.evaluate(() => {
    const log = document.querySelector<HTMLElement>("[role=log]")!;
    window.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    window.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown" }));
    log.style.bottom = "200px";
    log.dispatchEvent(new Event("scroll"));
  });

  await expect(owner.getByRole("button", { name: "paused" })).toHaveCount(0);
  await expect(lines(owner, "line 60.")).toBeInViewport();
});

test("a small step up is enough to stand still in a flood", async ({ owner, twitch }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);
  let said = 0;
  const flood = setInterval(() => twitch.say(CHANNEL, `flood ${++said}.`), 5);
  // No single line is there for long.
  await expect(lines(owner, /flood \d{3,}\./).first()).toBeAttached();

  await owner.getByRole("log").hover();
  await owner.mouse.wheel(0, -12);

  await expect(owner.getByRole("button", { name: /new lines/ })).toBeVisible();
  clearInterval(flood);
  await owner.keyboard.press("End");
  await expect(lines(owner, `flood ${said}.`)).toBeInViewport();
});

test("a flood keeps the page bounded, and a reader's place still", async ({ owner, twitch }) => {
  await add(owner, CHANNEL);
  await twitch.joined(CHANNEL);
  for (let line = 1; line <= 3_000; line++) twitch.say(CHANNEL, `flood ${line}.`);

  await expect(lines(owner, "flood 3000.")).toBeInViewport();
  expect(await owner.getByRole("article").count()).toBeLessThanOrEqual(120);

  await owner.getByRole("log").hover();
  await owner.mouse.wheel(0, -300);
  await expect(owner.getByRole("button", { name: "paused" })).toBeVisible();
  const reading = lines(owner, "flood 2985.");
  const before = await reading.boundingBox();
  for (let line = 1; line <= 500; line++) twitch.say(CHANNEL, `more ${line}.`);
  await expect(owner.getByRole("button", { name: "500 new lines" })).toBeVisible();

  expect(await reading.boundingBox()).toEqual(before);
});
