// Which part of a long list is in the page: its end while it is followed, a frozen stretch while it is read.
// It knows nothing of pixels: the log says when an edge is reached.

import type { ChatEvent } from "./wire";

/** Lines in the page while the newest are followed: more than a tall screen shows. */
const FOLLOWED = 120;

/** Lines added when an edge of the frozen stretch is reached. */
const STEP = 100;

/** With no more than this many waiting below, reaching the end goes on following. */
const NEAR = 30;

export class LogWindow {
  #lines: () => readonly ChatEvent[];
  #size = $state(FOLLOWED);
  /** The last line of the frozen stretch; null while following. */
  #last = $state<string | null>(null);
  /** The line the keyboard is on. */
  active = $state<string | null>(null);

  constructor(lines: () => readonly ChatEvent[]) {
    this.#lines = lines;
  }

  get isFollowing(): boolean {
    return this.#last === null;
  }

  readonly shown = $derived.by(() => {
    const end = this.#end;
    return this.#lines().slice(Math.max(0, end - this.#size), end);
  });

  /** Lines that came since the stretch was frozen. */
  readonly waiting = $derived.by(() => this.#lines().length - this.#end);

  get #end(): number {
    const lines = this.#lines();
    if (this.#last === null) return lines.length;
    const last = lines.findLastIndex((line) => line.id === this.#last);
    // A frozen line that had to go leaves the oldest stretch there is.
    return last >= 0 ? last + 1 : Math.min(lines.length, this.#size);
  }

  /** Nothing moves until `follow`. */
  freeze() {
    this.#last ??= this.#lines().at(-1)?.id ?? null;
  }

  follow() {
    this.#last = null;
    this.#size = FOLLOWED;
    this.active = null;
  }

  /** True when there were older lines to add. */
  reachOlder(): boolean {
    if (this.#end <= this.#size) return false;
    this.freeze();
    this.#size += STEP;
    return true;
  }

  reachNewer() {
    if (this.isFollowing) return;
    if (this.waiting <= NEAR) return this.follow();
    const end = this.#end + STEP;
    this.#size += STEP;
    this.#last = this.#lines()[end - 1]?.id ?? null;
  }

  /** Moves the keyboard's line and says which it is now; past the newest it goes on following. */
  move(by: number): string | null {
    const lines = this.#lines();
    const shown = this.shown;
    const from = lines.findLastIndex((line) => line.id === (this.active ?? shown.at(-1)?.id));
    const to = this.active === null && by < 0 ? from : from + by;
    if (to >= lines.length) {
      this.follow();
      return null;
    }
    const line = lines[Math.max(0, to)];
    if (!line) return null;
    this.freeze();
    this.#include(Math.max(0, to));
    this.active = line.id;
    return line.id;
  }

  #include(index: number) {
    const end = this.#end;
    if (index >= end) {
      this.#size += index + 1 - end;
      this.#last = this.#lines()[index]!.id;
    } else if (index < end - this.#size) {
      this.#size = end - index + STEP;
    }
  }
}
