import { render, screen } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { fixture, fixtureText, message } from "../fixtures";
import { parseSources, type Fragment } from "../wire";
import Fragments from "./Fragments.svelte";
import ImportLine from "./ImportLine.svelte";
import Line from "./Line.svelte";
import SourceCard from "./SourceCard.svelte";

const ground = "#13161c";
const plain = { channel: "", ground, active: false };

function text(container: HTMLElement): string {
  return (container.textContent ?? "").replace(/\s+/g, " ").trim();
}

test("a line says who said what", () => {
  const { container } = render(Line, { line: fixture("event-message-full"), ...plain });

  expect(text(container)).toContain("Quill: watch @PixelForge");
  expect(text(container)).toContain("↩ in reply to Mara_Vale hello there");
  expect(text(container)).toContain("first message");
  expect(screen.getByRole("img", { name: "Kappa" }).getAttribute("src")).toBe(
    "https://static-cdn.jtvnw.net/emoticons/v2/25/default/dark/2.0",
  );
});

test("a removed line says who, and that it was removed", () => {
  const { container } = render(Line, { line: fixture("event-removed-message"), ...plain });

  expect(text(container)).toContain("Mara_Vale: message removed");
});

test("what looks like markup is text", () => {
  const nasty = "<img src=x onerror=alert(1)><b>hi</b>";
  const { container } = render(Line, {
    line: message(1, { text: nasty, fragments: [{ type: "text", text: nasty }] }),
    ...plain,
  });

  expect(container.querySelector("img, b")).toBeNull();
  expect(text(container)).toContain(nasty);
});

test.each(["alert-sub", "alert-resub", "alert-gift", "alert-gift-bulk", "alert-raid", "alert-announcement", "alert-other", "cleared-timeout", "status", "gap", "unknown-kind"])(
  "%s has a line of its own",
  (name) => {
    const { container } = render(Line, { line: fixture(`event-${name}`), ...plain });

    expect(text(container).length).toBeGreaterThan(10);
  },
);

test("a gap says for how long and why", () => {
  const { container } = render(Line, { line: fixture("event-gap"), ...plain });

  expect(text(container)).toContain("1 min 45 s not received (twitch closed the connection)");
});

test("the channel is said where there are several", () => {
  const { container } = render(Line, { line: message(1), ...plain, channel: "PixelForge" });

  expect(text(container)).toContain("PixelForge");
});

test("a link opens elsewhere and tells nothing about us; on a stream it is text", () => {
  const link: Fragment[] = [{ type: "link", text: "example.com", url: "https://example.com/" }];
  const dashboard = render(Fragments, { fragments: link, links: true });
  const overlay = render(Fragments, { fragments: link });

  const anchor = dashboard.container.querySelector("a");
  expect(anchor?.rel).toContain("noopener noreferrer");
  expect(anchor?.target).toBe("_blank");
  expect(overlay.container.querySelector("a")).toBeNull();
  expect(text(overlay.container)).toBe("example.com");
});

test("an emote of a provider without pictures is its word", () => {
  const { container } = render(Fragments, {
    fragments: [{ type: "emote", text: "catJAM", id: "x", name: "catJAM", provider: "7tv", animated: true, zero_width: false }],
  });

  expect(container.querySelector("img")).toBeNull();
  expect(text(container)).toBe("catJAM");
});

test("an emote whose picture does not come is its word", async () => {
  const { container } = render(Fragments, {
    fragments: [{ type: "emote", text: "Kappa", id: "25", name: "Kappa", provider: "twitch", animated: false, zero_width: false }],
  });

  container.querySelector("img")!.dispatchEvent(new Event("error"));
  await Promise.resolve();

  expect(text(container)).toBe("Kappa");
});

test("a channel says its state in words, and why", () => {
  const [live, waiting] = parseSources(JSON.parse(fixtureText("frame-state-sources")).data);
  const now = live!.last_event_at! + 12_000;

  const first = render(SourceCard, { source: live!, now });
  const second = render(SourceCard, { source: waiting!, now });

  expect(text(first.container)).toBe("PixelForge live 43/min · last line 12 s ago");
  expect(text(second.container)).toContain("trying again");
  expect(text(second.container)).toContain("twitch closed the connection: trying again in 8 s");
});

test("while the server is away, a channel's state is not known", () => {
  const [, waiting] = parseSources(JSON.parse(fixtureText("frame-state-sources")).data);

  const { container } = render(SourceCard, { source: waiting!, now: waiting!.since + 90_000, isCurrent: false });

  expect(text(container)).toBe("harborlights unknown no line yet");
});

test("a channel without a name is called after its platform", () => {
  const [source] = parseSources(JSON.parse(fixtureText("frame-state-sources")).data);

  const { container } = render(SourceCard, { source: { ...source!, name: null, login: "", url: "" }, now: source!.since });

  expect(text(container)).toMatch(/^Twitch live/);
});

test("who may not change anything sees no button for it", () => {
  const [source] = parseSources(JSON.parse(fixtureText("frame-state-sources")).data);

  const { container } = render(SourceCard, { source: source!, now: 0 });

  expect(container.querySelector("button")).toBeNull();
});

test("an import says how far it is, and why it waits", () => {
  const progress = { file: "elora.db", done: 350_000, total: 1_000_000, reason: null };
  const { container, unmount } = render(ImportLine, { progress });

  const bar = screen.getByRole("progressbar", { name: "Importing elora.db: 350,000 of 1,000,000 messages (35 %)" });
  expect([bar.getAttribute("max"), (bar as HTMLProgressElement).value]).toEqual(["1000000", 350_000]);
  unmount();

  render(ImportLine, { progress: { ...progress, reason: "elora.db is being changed" } });
  expect(screen.getByRole("progressbar").getAttribute("aria-labelledby")).toBe("import-what");
  expect(text(document.body)).toContain("Waiting: elora.db is being changed");
  expect(text(container)).toBe("");
});
