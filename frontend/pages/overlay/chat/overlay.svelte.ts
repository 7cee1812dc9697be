// The overlay's own rules: which lines it shows, for how long, and how it looks. Chat comes from the feed.

import { Chat } from "../../../lib/chat.svelte";
import { Feed } from "../../../lib/feed.svelte";
import type { ChatEvent } from "../../../lib/wire";
import type { Options } from "./options";

/** How long a line takes to fade away. overlay.css says the same. */
const LEAVING_MS = 600;

/** What a moderator removes while the server is away is not heard, so lines do not stay longer than this without it. */
const AWAY_MS = 5_000;

const BOTS = new Set([
  "nightbot", "streamelements", "streamlabs", "moobot", "fossabot", "wizebot", "sery_bot", "soundalerts", "botrixoficial",
]);

export class Overlay {
  readonly options: Options;
  readonly chat: Chat;
  readonly feed: Feed;
  now = $state(Date.now());
  /** True while the server has been away for so long that lines are hidden. */
  isAway = $state(false);
  /** How far this machine's clock is ahead of the server's. The quickest live line tells it best. */
  #ahead: number | null = null;
  #isCatchingUp = true;

  constructor(options: Options) {
    this.options = options;
    this.chat = new Chat({ limit: options.limit, keepRemoved: false, shows: (event) => this.#shows(event) });
    const query: Record<string, string> = { last: String(options.limit) };
    if (options.platforms) query.platform = options.platforms;
    if (options.channel) query.channel = options.channel;
    this.feed = new Feed(query, {
      events: (events) => this.#heard(events),
      reset: (isNewEpoch) => this.chat.reset(isNewEpoch),
      hello: () => {
        this.#isCatchingUp = true;
        this.isAway = false;
      },
    });
  }

  /** Runs until the returned function is called. */
  start(): () => void {
    const stop = this.options.demo ? this.#playDemo() : this.feed.start();
    const timer = setInterval(() => this.#tick(), 1_000);
    return () => {
      stop();
      clearInterval(timer);
    };
  }

  /** True while a line that has been here long enough is fading away. */
  isLeaving(line: ChatEvent): boolean {
    return this.options.fade > 0 && this.#ageOf(line) > this.options.fade * 1_000;
  }

  #heard(events: ChatEvent[]) {
    const last = events.at(-1);
    if (last && !this.#isCatchingUp) {
      const ahead = Date.now() - last.received_at;
      this.#ahead = this.#ahead === null ? ahead : Math.min(this.#ahead, ahead);
    }
    this.#isCatchingUp = false;
    this.chat.take(events);
  }

  #shows(event: ChatEvent): boolean {
    const { options } = this;
    if (event.kind !== "message" && event.kind !== "alert") return false;
    if (event.kind === "alert" && !options.alerts) return false;
    if (options.fade > 0 && Date.now() - (this.#ahead ?? 0) - event.received_at > options.fade * 1_000) return false;
    if (!options.commands && event.text.startsWith("!")) return false;
    const login = event.author?.login.toLowerCase() ?? "";
    if (!options.bots && BOTS.has(login)) return false;
    return !options.block.has(login) && !options.block.has(event.author?.id ?? "");
  }

  /** Ages come from times, not from ticks: timers stand still while OBS hides the source. */
  #tick() {
    const { lostAt } = this.feed;
    this.isAway = !this.options.demo && lostAt !== null && Date.now() - lostAt > AWAY_MS;
    if (this.options.fade === 0) return;
    this.now = Date.now();
    const longest = this.options.fade * 1_000 + LEAVING_MS;
    this.chat.drop((line) => this.#ageOf(line) > longest);
  }

  #ageOf(line: ChatEvent): number {
    return this.now - (this.#ahead ?? 0) - line.received_at;
  }

  #playDemo(): () => void {
    let stop = () => {};
    void import("./demo").then(({ playDemo }) => (stop = playDemo((events) => this.chat.take(events))));
    return () => stop();
  }
}
