// A socket that stays: it notices silence, and connects again for ever. It does not read what comes.

/** The first and the longest wait before another attempt; the wait itself is random below that. */
const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 10_000;

/** Close codes from here on say that trying again is no use. An unattended overlay still asks once a minute. */
const REFUSED_FROM = 4_500;
const REFUSED_RETRY_MS = 60_000;

export interface Listener {
  /** A new attempt: whatever the last one left half done is void. Says where to connect. */
  begin(): string;
  message(text: string): void;
}

export type ConnectionState = "connecting" | "open" | "lost" | "refused";

export class Connection {
  state = $state<ConnectionState>("connecting");
  /** When the line went, or when the page began to ask for one; null while it is up. */
  lostAt = $state<number | null>(Date.now());
  /** Why the server closed, where it said so. */
  reason = $state("");
  /** After this long without a word the line counts as dead, though nothing said so. */
  silenceMs: number;

  #listener: Listener;
  #socket: WebSocket | null = null;
  #attempts = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(silenceMs: number, listener: Listener) {
    this.silenceMs = silenceMs;
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

  /** The server has greeted: only now is the line up, and the next wait short again. */
  greeted() {
    this.#attempts = 0;
    this.state = "open";
    this.lostAt = null;
    this.reason = "";
  }

  /** Begins anew, at once, although the line is up. */
  again() {
    this.#drop();
    this.lostAt ??= Date.now();
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.#listener.begin());
    this.#socket = socket;
    this.#watch();
    socket.onmessage = ({ data }) => {
      this.#watch();
      this.#listener.message(String(data));
    };
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
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
    this.#watchdog = setTimeout(() => this.#lost(0, "the server fell silent"), this.silenceMs);
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
