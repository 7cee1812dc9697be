// What the pop-out shows: the lines of the classic socket, whom a person hides, and what happens when the server goes.

import { session, socketAddress } from "../../lib/api";
import { Chat } from "../../lib/chat.svelte";
import { isClassicLine, parseClassic, type ClassicFrame, type ClassicLine } from "../../lib/classic";
import { Connection } from "../../lib/connection.svelte";
import type { ChatEvent } from "../../lib/wire";
import { HIDDEN_PEOPLE, parsePeople, parseSettings, SETTINGS, withPerson, type Settings } from "./kept";

/** Lines in the page: a few screens to scroll back through. Twice as many while somebody does. */
const LINES = 300;

/** What a moderator removes while the server is away is not heard, so lines do not stay longer than this without it. */
const AWAY_MS = 5_000;

/** Until the server has said how often it gives a sign of life. Its own default, twice. */
const SILENCE_MS = 52_000;

/** Beyond two signs of life that did not come. */
const GRACE_MS = 2_000;

export class Popout {
  settings = $state.raw<Settings>(parseSettings(stored(SETTINGS)));
  /** True while the server has been away for so long that lines are hidden. */
  isAway = $state(false);
  /** False once the server has said that this browser may not read chat. */
  mayRead = $state(true);
  readonly chat = new Chat({ limit: LINES, keepRemoved: false, shows: (event) => this.#shows(event) });
  readonly lines = $derived(this.chat.lines.filter(isClassicLine));

  #connection = new Connection(SILENCE_MS, {
    begin: () => this.#begin(),
    message: (text) => this.#take(parseClassic(text)),
  });
  #people = parsePeople(stored(HIDDEN_PEOPLE));
  /** Hidden here alone, where the list could not be kept. */
  #alsoHidden = new Set<string>();
  /** What is replayed, while it is; null from then on. */
  #replayed: ChatEvent[] | null = null;
  /** What the page began with: nothing up to here is shown, whatever is replayed later. */
  #from: { epoch: string; position: number } | null = null;

  get isConnected(): boolean {
    return this.#connection.state === "open";
  }

  /** Runs until the returned function is called. */
  start(): () => void {
    const changed = ({ key }: StorageEvent) => this.#changed(key);
    window.addEventListener("storage", changed);
    const stop = this.#connection.start();
    const timer = setInterval(() => this.#tick(), 1_000);
    return () => {
      window.removeEventListener("storage", changed);
      clearInterval(timer);
      stop();
    };
  }

  /** The name as it is shown. */
  nameOf({ source, author }: ClassicLine): string {
    return source === "YouTube" && this.settings.hideYouTubeAt ? author.name.replace(/^@/, "") : author.name;
  }

  /** From now on this browser shows nothing of the person. */
  hide(name: string) {
    const kept = withPerson(stored(HIDDEN_PEOPLE), name);
    if (kept === null || !store(HIDDEN_PEOPLE, kept)) this.#alsoHidden.add(name);
    this.#changed(HIDDEN_PEOPLE);
  }

  #begin(): string {
    this.#replayed = [];
    const replay = this.#from !== null || this.settings.fetchHistoryOnLoad;
    return socketAddress("/ws/chat", { events: "1", replay: replay ? "1" : "0" });
  }

  #take(frames: ClassicFrame[]) {
    for (const frame of frames) {
      if (frame.type === "live") this.#goLive(frame);
      // Which lines are left, only the store knows: a time says nothing of those that came after the purge was asked for.
      // What is on screen stays until the replay has told, so that a scene does not blink.
      else if (frame.type === "reset") return this.#connection.again();
      // A removal counts at once, also for what has not been replayed yet.
      else if (this.#replayed && frame.event.kind === "message") this.#replayed.push(frame.event);
      else this.chat.take([frame.event]);
    }
  }

  /**
   * A line that the replay does not confirm may have been removed meanwhile, so it goes, and so do those that are older
   * than the replay reaches.
   */
  #goLive({ epoch, position, keepalive_ms }: Extract<ClassicFrame, { type: "live" }>) {
    const replayed = this.#replayed ?? [];
    this.#replayed = null;
    this.#connection.silenceMs = keepalive_ms > 0 ? 2 * keepalive_ms + GRACE_MS : SILENCE_MS;
    this.#connection.greeted();
    this.mayRead = true;
    this.isAway = false;
    const isNewEpoch = this.#from?.epoch !== epoch;
    if (this.#from === null) this.#from = { epoch, position: this.settings.fetchHistoryOnLoad ? 0 : position };
    else if (isNewEpoch) this.#from = { epoch, position: 0 };
    const from = this.#from.position;
    this.chat.reset(isNewEpoch);
    this.chat.take(replayed.filter(({ id }) => !(Number(id) <= from)));
  }

  #shows(event: ChatEvent): boolean {
    if (!isClassicLine(event)) return false;
    return ![event.author.name, this.nameOf(event)].some((name) => this.#people.has(name) || this.#alsoHidden.has(name));
  }

  /** Another page of this browser wrote something; null for everything. */
  #changed(key: string | null) {
    if (key === SETTINGS || key === null) this.settings = parseSettings(stored(SETTINGS));
    if (key === HIDDEN_PEOPLE || key === null) {
      this.#people = parsePeople(stored(HIDDEN_PEOPLE));
      this.chat.drop((line) => !this.#shows(line));
    }
  }

  #tick() {
    const { lostAt } = this.#connection;
    const isAway = lostAt !== null && Date.now() - lostAt > AWAY_MS;
    if (isAway && !this.isAway) void this.#ask();
    this.isAway = isAway;
  }

  /** Browsers do not tell why a socket was refused. */
  async #ask() {
    try {
      this.mayRead = (await session()).can_read;
    } catch {
      // Nobody answers, so the server is away indeed.
    }
  }
}

function stored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** False where this browser keeps nothing. */
function store(name: string, value: string): boolean {
  try {
    localStorage.setItem(name, value);
    return true;
  } catch {
    return false;
  }
}
