// The channels that are listened to: the server's list, what a person is adding, and what they are taking away.

import * as api from "./api";
import { parseSources, type Source } from "./wire";

/** How long a removal can be taken back. Nothing has been sent until then. */
export const UNDO_MS = 6_000;

/** Channels are told apart by this many colors. Tokens of theme.css. */
const TINTS = 8;

export class Sources {
  /** The server's list, without the one that is being removed. */
  readonly list = $derived.by(() => this.#all.filter((source) => source.id !== this.leaving?.id));
  /** A color per channel, by `platform:login`; empty where one channel needs none. */
  readonly tints: ReadonlyMap<string, string> = $derived.by(() => {
    const list = this.list.length > 1 ? this.list : [];
    return new Map(list.map((source) => [channelKey(source.platform, source.login), tintOf(source)]));
  });
  /** False until the server has said which there are. */
  isKnown = $state(false);
  /** What is being typed, and whether it still is: the field may move to another place on the page meanwhile. */
  draft = $state("");
  isTyping = false;
  /** What was pasted and is not answered yet. */
  adding = $state("");
  /** Why the last request was refused. */
  problem = $state("");
  leaving = $state.raw<Source | null>(null);

  #all = $state.raw<readonly Source[]>([]);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Takes the list as the feed or the server gives it. */
  take(data: unknown) {
    this.#all = parseSources(data);
    this.isKnown = true;
  }

  /** True when the server took it. */
  async add(source: string): Promise<boolean> {
    this.adding = source;
    this.problem = "";
    try {
      const added = await api.addSource(source);
      // Who adds what they have just removed wants it to stay.
      if (added.id === this.leaving?.id) this.undo();
      // The feed may have told of it already, and of what happened to it since.
      if (!this.#all.some(({ id }) => id === added.id)) this.#all = [...this.#all, added];
      this.isKnown = true;
      return true;
    } catch (error) {
      this.problem = sentence(error);
      return false;
    } finally {
      this.adding = "";
    }
  }

  /** Hides the channel at once, and asks the server when it is too late to take back. */
  remove(source: Source) {
    void this.settle();
    this.leaving = source;
    this.problem = "";
    this.#timer = setTimeout(() => void this.settle(), UNDO_MS);
  }

  undo() {
    clearTimeout(this.#timer);
    this.leaving = null;
  }

  /** Carries out a removal that waits. `leavingPage` lets the request outlive the page. */
  async settle(leavingPage = false) {
    clearTimeout(this.#timer);
    const source = this.leaving;
    if (!source) return;
    try {
      await api.removeSource(source.id, leavingPage);
      this.#all = this.#all.filter(({ id }) => id !== source.id);
    } catch (error) {
      this.problem = `${source.name ?? source.login} is still there: ${sentence(error)}`;
    }
    if (this.leaving === source) this.leaving = null;
  }
}

export function channelKey(platform: string, login: string): string {
  return `${platform}:${login}`.toLowerCase();
}

/** By id, so that a channel keeps its color when others come and go. What came along unasked has no number there. */
function tintOf({ id }: Source): string {
  const number = /^\d+$/.test(id) ? Number.parseInt(id, 10) : [...id].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0);
  return `var(--c-channel-${(number % TINTS) + 1})`;
}

/** The server names the field it means, which a page with one field need not. */
function sentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/^source: /, "");
}
