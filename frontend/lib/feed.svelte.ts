// The feed of a page: one socket, resumed where it stopped. It does not keep events: they go to the listener.

import { socketAddress } from "./api";
import { Connection, type ConnectionState } from "./connection.svelte";
import { parseFrame, type ChatEvent, type Frame } from "./wire";

/** The server promises a frame this often; two missed ones mean a dead line that has not been told so. */
const KEEPALIVE_MS = 15_000;
const DEAD_AFTER_MS = 2 * KEEPALIVE_MS + 2_000;

/** Shorter breaks are mended before anybody has read that there is one. */
const PATIENCE_MS = 2_000;

export interface Listener {
  events(events: ChatEvent[]): void;
  /** What was shown is void: the newest events follow. In a new epoch their ids begin anew. */
  reset(isNewEpoch: boolean): void;
  state?(topic: string, data: unknown): void;
  /** The line is up, for the first time or again. */
  hello?(): void;
}

export type FeedState = ConnectionState;

export class Feed {
  #query: Record<string, string>;
  #listener: Listener;
  #connection: Connection;
  #cursor: string | null = null;
  #epoch = "";

  constructor(query: Record<string, string>, listener: Listener) {
    this.#query = query;
    this.#listener = listener;
    this.#connection = new Connection(DEAD_AFTER_MS, {
      begin: () => socketAddress("/api/feed", this.#cursor ? { ...this.#query, since: this.#cursor } : this.#query),
      message: (text) => {
        const frame = parseFrame(text);
        if (frame) this.#take(frame);
      },
    });
  }

  /** Connects, and stays connected until the returned function is called. */
  start(): () => void {
    return this.#connection.start();
  }

  get state(): FeedState {
    return this.#connection.state;
  }

  /** When the line went, or when the page began to ask for one; null while it is up. */
  get lostAt(): number | null {
    return this.#connection.lostAt;
  }

  /** Why the server closed, where it said so. */
  get reason(): string {
    return this.#connection.reason;
  }

  /** True when the line has been gone for long enough to say so. */
  isAway(now: number): boolean {
    return this.lostAt !== null && now - this.lostAt >= PATIENCE_MS;
  }

  /** Where the feed would go on from. */
  get cursor(): string | null {
    return this.#cursor;
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
    this.#connection.greeted();
    if (!resumed) this.#reset(isNewEpoch);
    this.#listener.hello?.();
  }

  #reset(isNewEpoch: boolean) {
    this.#cursor = null;
    this.#listener.reset(isNewEpoch);
  }
}
