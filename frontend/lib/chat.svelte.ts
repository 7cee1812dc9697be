// What is on screen, newest last: applies events in the order they come, keeps a bounded number, and tells the page
// once per frame. It does not know where events come from.

import type { Alert, ChatEvent, Cleared, Edited, Message, Removed, Target } from "./wire";

/** A page that is hidden gets no animation frames; it is told this often instead. */
const HIDDEN_MS = 200;

/** A platform's stamp further than this from the server's clock does not say when something was sent. */
const BOGUS_MS = 24 * 60 * 60 * 1_000;

/** Removals and clears are remembered, because they overtake the lines they hit. */
const REMEMBERED = 500;

export interface ChatOptions {
  limit: number;
  /** Whether a removed line keeps its place, struck out, or goes at once. */
  keepRemoved: boolean;
  /** Which events become lines; removals always apply. */
  shows?: (event: ChatEvent) => boolean;
}

export class Chat {
  /** The lines to draw. Replaced whole, at most once per frame; a changed line is a new object. */
  lines = $state.raw<readonly ChatEvent[]>([]);
  /** How many lines have come since the page began, for counting what is new. */
  arrived = $state.raw(0);

  readonly options: ChatOptions;
  #lines: ChatEvent[] = [];
  #arrived = 0;
  #ids = new Set<string>();
  /** Shared-session lines on screen: the id where typed, and the one line that stands for all copies. */
  #typed = new Map<string, string>();
  /** Copies that were folded into another line, so that a removal of either finds it. */
  #folded = new Map<string, string>();
  #removals = new Set<string>();
  #clears = new Set<Cleared>();
  #held = false;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ChatOptions) {
    this.options = options;
  }

  take(events: readonly ChatEvent[]) {
    for (const event of events) this.#apply(event);
    this.#trim();
    this.#announce();
  }

  /** Forgets every line: what follows is a new beginning. In a new epoch the old ids are other events' ids. */
  reset(isNewEpoch: boolean) {
    this.#lines = [];
    this.#ids.clear();
    this.#typed.clear();
    this.#folded.clear();
    if (isNewEpoch) {
      this.#removals.clear();
      this.#clears.clear();
    }
    this.#announce();
  }

  /** While held, twice as many lines are kept, so that those being read do not leave. */
  set held(held: boolean) {
    this.#held = held;
    this.#trim();
    this.#announce();
  }

  /** Lets go of the lines for which this is true. */
  drop(gone: (line: ChatEvent) => boolean) {
    const kept = this.#lines.filter((line) => !gone(line));
    if (kept.length === this.#lines.length) return;
    this.#lines = kept;
    this.#index();
    this.#announce();
  }

  /** Changes lines in place; null leaves a line as it is. */
  #change(hit: (line: ChatEvent) => boolean, change: (line: ChatEvent) => ChatEvent) {
    this.#lines = this.#lines.map((line) => (hit(line) ? change(line) : line));
  }

  #apply(event: ChatEvent) {
    switch (event.kind) {
      case "removed":
        return this.#remove(event);
      case "cleared":
        return this.#clear(event);
      case "edited":
        return this.#edit(event);
      default:
        return this.#add(event);
    }
  }

  #add(event: ChatEvent) {
    if (this.#ids.has(event.id) || this.options.shows?.(event) === false) return;
    const line = this.#isRemoved(event) ? withoutText(event) : event;
    if (line.state === "removed" && line.shared) this.#removeCopies(line);
    if (line.state === "removed" && !this.options.keepRemoved) return;
    if (this.#fold(line)) return;
    this.#ids.add(line.id);
    this.#lines.push(line);
    this.#arrived++;
  }

  /** True when a line on screen says it already: it is a copy, or one gift of a bulk. */
  #fold(line: ChatEvent): boolean {
    const key = bulkKey(line) ?? typedKey(line);
    if (key === null) return false;
    const shown = this.#typed.get(key);
    if (shown === undefined) {
      // A gift whose bulk is not on screen stands for itself alone.
      if (line.kind !== "alert" || line.alert.type !== "gift") this.#typed.set(key, line.id);
      return false;
    }
    this.#folded.set(line.id, shown);
    const native = nativeKey(line);
    if (native !== null) this.#folded.set(native, shown);
    return true;
  }

  /** One line stands for all copies, so a copy that was removed in any channel removes it. */
  #removeCopies(removed: ChatEvent) {
    const key = typedKey(removed);
    if (key === null) return;
    remember(this.#removals, key);
    this.#strike((line) => typedKey(line) === key);
  }

  #remove(event: Removed) {
    for (const key of keys(event.platform, event.target)) remember(this.#removals, key);
    const hits = this.#hits(event.platform, event.target);
    for (const line of this.#lines.filter(hits)) {
      // Copies of it may still be on their way.
      const key = typedKey(line);
      if (key !== null) remember(this.#removals, key);
    }
    this.#strike(hits);
  }

  #clear(event: Cleared) {
    remember(this.#clears, event);
    this.#strike((line) => isCleared(line, event));
    // Where removed lines stay, a line says what became of them.
    if (this.options.keepRemoved) this.#add(event);
  }

  #edit(event: Edited) {
    const hits = this.#hits(event.platform, event.target);
    const { text, fragments } = event;
    this.#change(
      (line) => hits(line) && line.state === "visible" && "fragments" in line,
      (line) => ({ ...line, text, fragments }) as ChatEvent,
    );
  }

  #hits(platform: string, target: Target): (line: ChatEvent) => boolean {
    const wanted = keys(platform, target);
    const ids = new Set(wanted.map((key) => this.#folded.get(key)));
    return (line) => ids.has(line.id) || wanted.some((key) => [line.id, nativeKey(line), typedKey(line)].includes(key));
  }

  #strike(hits: (line: ChatEvent) => boolean) {
    const struck = (line: ChatEvent) => isTalk(line) && line.state === "visible" && hits(line);
    if (this.options.keepRemoved) this.#change(struck, withoutText);
    else this.drop(struck);
  }

  #isRemoved(event: ChatEvent): boolean {
    if (!isTalk(event)) return false;
    if (event.state === "removed") return true;
    const names = [event.id, nativeKey(event), typedKey(event)];
    if (names.some((name) => name !== null && this.#removals.has(name))) return true;
    for (const clear of this.#clears) if (isCleared(event, clear)) return true;
    return false;
  }

  get #limit(): number {
    return this.#held ? this.options.limit * 2 : this.options.limit;
  }

  /** A quarter more than is shown may gather before the look-ups are rebuilt. */
  #trim() {
    if (this.#lines.length <= this.#limit * 1.25) return;
    this.#lines = this.#lines.slice(-this.#limit);
    this.#index();
  }

  /** Rebuilds the look-ups from the lines that are left; a removal's marks stay. */
  #index() {
    this.#ids = new Set(this.#lines.map((line) => line.id));
    for (const map of [this.#typed, this.#folded]) {
      for (const [key, id] of map) if (!this.#ids.has(id)) map.delete(key);
    }
  }

  /** One write per frame, however many events came. */
  #announce() {
    if (this.#frame || this.#timer !== undefined) return;
    const tell = () => {
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#timer);
      this.#frame = 0;
      this.#timer = undefined;
      this.lines = this.#lines.slice(-this.#limit);
      this.arrived = this.#arrived;
    };
    this.#timer = setTimeout(tell, HIDDEN_MS);
    this.#frame = requestAnimationFrame(tell);
  }
}

function isTalk(event: ChatEvent): event is Message | Alert {
  return event.kind === "message" || event.kind === "alert";
}

function nativeKey(event: ChatEvent): string | null {
  return event.native_id === null ? null : `${event.platform} ${event.native_id}`;
}

/** What copies of one line share: the id it has where it was typed. */
function typedKey(event: ChatEvent): string | null {
  return event.shared ? `${event.platform} ${event.shared.source_id}` : nativeKey(event);
}

/** What the gifts of one bulk share with the line that announced them. */
function bulkKey(event: ChatEvent): string | null {
  const bulk = event.kind === "alert" ? event.alert.bulk_id : undefined;
  return typeof bulk === "string" && bulk ? `${event.platform} bulk ${bulk}` : null;
}

function keys(platform: string, target: Target): string[] {
  const keys = target.id === null ? [] : [target.id];
  return target.native_id === null ? keys : [...keys, `${platform} ${target.native_id}`];
}

/** A clear hits the channel's lines sent at or before its own time; of one author where it names one. */
function isCleared(line: ChatEvent, clear: Cleared): boolean {
  if (!isTalk(line) || line.platform !== clear.platform || sentAt(line) > sentAt(clear)) return false;
  const here = line.channel;
  const there = clear.channel;
  const sameChannel = here.id !== null && there.id !== null ? here.id === there.id : here.login === there.login;
  const { author_id: id, author_login: login } = clear.target;
  if (id !== null) return sameChannel && id === line.author?.id;
  return sameChannel && (login === null || login === line.author?.login);
}

/** The time that moderation compares, as the server does. */
function sentAt({ at, received_at }: ChatEvent): number {
  return Math.abs(at - received_at) > BOGUS_MS ? received_at : at;
}

/** A removed line keeps its author and its place, and nothing that was said. */
function withoutText(line: ChatEvent): ChatEvent {
  const nothing = { state: "removed" as const, text: "", fragments: [], money: null, bits: 0 };
  if (line.kind === "message") return { ...line, ...nothing, reply: null };
  return line.kind === "alert" ? { ...line, ...nothing, system_text: "" } : line;
}

/** Adds to a set that forgets its oldest. */
function remember<T>(memory: Set<T>, item: T) {
  memory.add(item);
  if (memory.size > REMEMBERED) for (const oldest of memory) return memory.delete(oldest);
}
