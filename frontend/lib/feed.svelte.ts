// The one socket of a page: connects, resumes where it stopped, notices silence, and tries again for ever.
// It does not keep events: they go to the listener.

import { feedAddress } from "./api";
import { parseFrame, type ChatEvent, type Frame } from "./wire";

/** The server promises a frame this often; two missed ones mean a dead line that has not been told so. */
const KEEPALIVE_MS = 15_000;
const DEAD_AFTER_MS = 2 * KEEPALIVE_MS + 2_000;

/** The first and the longest wait before another attempt; the wait itself is random below that. */
const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 10_000;

/** Shorter breaks are mended before anybody has read that there is one. */
const PATIENCE_MS = 2_000;

/** Close codes from here on say that trying again is no use. An unattended overlay still asks once a minute. */
const REFUSED_FROM = 4_500;
const REFUSED_RETRY_MS = 60_000;

export interface Listener {
  events(events: ChatEvent[]): void;
  /** What was shown is void: the newest events follow. In a new epoch their ids begin anew. */
  reset(isNewEpoch: boolean): void;
  state?(topic: string, data: unknown): void;
  /** The line is up, for the first time or again. */
  hello?(): void;
}

export type FeedState = "connecting" | "open" | "lost" | "refused";

export class Feed {
  state = $state<FeedState>("connecting");
  /** When the line went, or when the page began to ask for one; null while it is up. */
  lostAt = $state<number | null>(Date.now());
  /** Why the server closed, where it said so. */
  reason = $state("");

  #query: Record<string, string>;
  #listener: Listener;
  #socket: WebSocket | null = null;
  #cursor: string | null = null;
  #epoch = "";
  #attempts = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(query: Record<string, string>, listener: Listener) {
    this.#query = query;
    this.#listener = listener;
  }

  /** Connects, and stays connected until the returned function is called. */
  start(): () => void {
    const hurry = () => this.#hurry();
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    this.#connect();
    return () => {
      window.removeEventListener("online", hurry);
      document.removeEventListener("visibilitychange", hurry);
      clearTimeout(this.#retry);
      this.#drop();
    };
  }

  /** True when the line has been gone for long enough to say so. */
  isAway(now: number): boolean {
    return this.lostAt !== null && now - this.lostAt >= PATIENCE_MS;
  }

  /** Where the feed would go on from. */
  get cursor(): string | null {
    return this.#cursor;
  }

  #connect() {
    clearTimeout(this.#retry);
    const query = this.#cursor ? { ...this.#query, since: this.#cursor } : this.#query;
    const socket = new WebSocket(feedAddress(query));
    this.#socket = socket;
    this.#watch();
    socket.onmessage = ({ data }) => {
      this.#watch();
      const frame = parseFrame(String(data));
      if (frame) this.#take(frame);
    };
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
  }

  #take(frame: Frame) {
    switch (frame.type) {
      case "hello":
        return this.#hello(frame.resumed, frame.epoch);
      case "events":
        this.#cursor = frame.cursor ?? this.#cursor;
        return this.#listener.events(frame.events);
      case "keepalive":
        this.#cursor = frame.cursor ?? this.#cursor;
        return;
      case "reset":
        return this.#reset(false);
      case "state":
        return this.#listener.state?.(frame.topic, frame.data);
    }
  }

  /** A cursor comes only with what it covers, so the greeting's own is left alone: the newest events are still to come. */
  #hello(resumed: boolean, epoch: string) {
    const isNewEpoch = epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#attempts = 0;
    this.state = "open";
    this.lostAt = null;
    this.reason = "";
    if (!resumed) this.#reset(isNewEpoch);
    this.#listener.hello?.();
  }

  #reset(isNewEpoch: boolean) {
    this.#cursor = null;
    this.#listener.reset(isNewEpoch);
  }

  #lost(code: number, reason: string) {
    this.#drop();
    this.lostAt ??= Date.now();
    this.reason = reason;
    const refused = code >= REFUSED_FROM;
    this.state = refused ? "refused" : this.state === "connecting" ? "connecting" : "lost";
    const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#attempts++);
    this.#retry = setTimeout(() => this.#connect(), refused ? REFUSED_RETRY_MS : Math.random() * longest);
  }

  /** The network is back, or the page is looked at again: a waiting attempt is made at once. */
  #hurry() {
    if (this.#socket || document.hidden) return;
    this.#connect();
  }

  #watch() {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#lost(0, "the server fell silent"), DEAD_AFTER_MS);
  }

  #drop() {
    clearTimeout(this.#watchdog);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
