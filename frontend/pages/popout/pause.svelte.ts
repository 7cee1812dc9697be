// When the list stands still: somebody scrolled up to read, or pressed `p`. It knows places and times, no elements.

import type { Settings } from "./kept";

/** Positions are fractions, heights are not. */
const ROUNDING_PX = 2;

export class Pause {
  isOn = $state(false);

  #settings: () => Settings;
  #touchedAt = -Infinity;
  #isTouched = false;
  #begunAt = 0;
  #lastTop = 0;

  constructor(settings: () => Settings) {
    this.#settings = settings;
  }

  /** A wheel, a finger or a key moves the list. */
  touched(now: number) {
    this.#touchedAt = now;
  }

  /** A button is down, perhaps on the list's edge. */
  set held(held: boolean) {
    this.#isTouched = held;
  }

  /** The list stands at `top` now, with `below` pixels further down. */
  scrolled(top: number, below: number, now: number) {
    const settings = this.#settings();
    const isUp = top < this.#lastTop;
    this.#lastTop = top;
    const byHand = this.#isTouched || now - this.#touchedAt < settings.pauseScrollIntentWindowMs;
    if (!byHand) return;
    // The smallest step up counts: in a flood the next line would take it back.
    if (isUp && below > ROUNDING_PX && settings.pauseChatEnabled) this.#begin(now);
    else if (!isUp && below <= settings.pauseBottomThresholdPx) this.isOn = false;
  }

  /** The pointer has left the list. */
  left(now: number) {
    const { pauseOnMouseLeave, pauseMouseleaveUnpauseCooldownMs } = this.#settings();
    if (pauseOnMouseLeave && now - this.#begunAt >= pauseMouseleaveUnpauseCooldownMs) this.isOn = false;
  }

  toggle(now: number) {
    if (this.isOn) this.isOn = false;
    else this.#begin(now);
  }

  #begin(now: number) {
    if (!this.isOn) this.#begunAt = now;
    this.isOn = true;
  }
}
