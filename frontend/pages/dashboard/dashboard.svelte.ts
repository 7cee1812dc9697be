// Everything the dashboard knows: one feed, the lines it brought, the channels, and who is looking.

import * as api from "../../lib/api";
import { Chat } from "../../lib/chat.svelte";
import { Clock } from "../../lib/clock.svelte";
import { Feed } from "../../lib/feed.svelte";
import { Sources } from "../../lib/sources.svelte";
import { parseImport, type ChatEvent, type Import, type Session } from "../../lib/wire";

/** Lines kept in the page; older ones are in the archive. */
const KEPT_LINES = 2_000;

/** Lines asked for at first: a few screens to scroll back through. */
const FIRST_LINES = "500";

/** A session question that failed for want of a server is asked again this much later. */
const ASK_AGAIN_MS = 2_000;

export class Dashboard {
  readonly chat = new Chat({ limit: KEPT_LINES, keepRemoved: true });
  readonly sources = new Sources();
  readonly clock = new Clock();
  readonly feed: Feed;
  session = $state.raw<Session | null>(null);
  importing = $state.raw<Import | null>(null);
  lastEventAt = $state(0);

  constructor() {
    this.feed = new Feed(
      { last: FIRST_LINES },
      {
        events: (events) => this.#heard(events),
        reset: (isNewEpoch) => this.chat.reset(isNewEpoch),
        state: (topic, data) => {
          if (topic === "sources") this.sources.take(data);
          if (topic === "import") this.importing = parseImport(data);
        },
        // Another server may have come up, which knows this browser or does not.
        hello: () => void this.#ask(),
      },
    );
  }

  /** Runs until the returned function is called. */
  start(): () => void {
    const settle = () => void this.sources.settle(true);
    window.addEventListener("pagehide", settle);
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      if (!(await this.#ask())) waiting = setTimeout(ask, ASK_AGAIN_MS);
    };
    void ask();
    const stops = [this.feed.start(), this.clock.start()];
    return () => {
      for (const stop of stops) stop();
      clearTimeout(waiting);
      window.removeEventListener("pagehide", settle);
    };
  }

  #heard(events: ChatEvent[]) {
    this.chat.take(events);
    const last = events.at(-1);
    if (last) this.lastEventAt = Math.max(this.lastEventAt, last.received_at);
  }

  async #ask(): Promise<boolean> {
    try {
      this.session = await api.session();
      return true;
    } catch {
      return false;
    }
  }
}
