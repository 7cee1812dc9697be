// The real program, as a test starts, kills and starts it again.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Twitch } from "./twitch";

const root = resolve(import.meta.dirname, "../..");

/** A debug build reads the pages from disk; a slow machine needs this long to start it. */
const START_MS = 20_000;

/** Built before these tests run; `ELORA_BIN` names another. */
function binary(): string {
  return process.env.ELORA_BIN ?? execFileSync(join(root, "scripts/elora"), ["--path"], { encoding: "utf8" }).trim();
}

export class Server {
  #folder = mkdtempSync(join(tmpdir(), "elora-e2e-"));
  #child: ChildProcess | null = null;
  #port = 0;
  #env: Record<string, string>;
  /** The one-time link that the program printed. */
  link = "";

  private constructor(twitch: Twitch, env: Record<string, string>) {
    this.#env = { TWITCH_IRC_URL: twitch.address, ELORA_INGEST_BACKOFF_BASE_MS: "50", ELORA_INGEST_BACKOFF_MAX_MS: "200", ...env };
  }

  static async start(twitch: Twitch, env: Record<string, string> = {}): Promise<Server> {
    const server = new Server(twitch, env);
    await server.start();
    return server;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it, on the same port and store as before. */
  async start(): Promise<void> {
    const { PATH = "", HOME = "" } = process.env;
    const place = ["--db-path", join(this.#folder, "elora.db"), "--http-addr", `127.0.0.1:${this.#port}`];
    // The folder has no .env, and nothing of this shell's settings gets in.
    const child = spawn(binary(), ["serve", ...place], { cwd: this.#folder, env: { PATH, HOME, ...this.#env } });
    this.#child = child;
    const lines: string[] = [];
    await new Promise<void>((ready, fail) => {
      const late = setTimeout(() => fail(new Error(`the server did not start:\n${lines.join("\n")}`)), START_MS);
      child.once("exit", (code) => fail(new Error(`the server ended with ${code}:\n${lines.join("\n")}`)));
      createInterface({ input: child.stdout! }).on("line", (line) => {
        this.link = /open (http\S+)/.exec(line)?.[1] ?? this.link;
        if (this.link && this.#port) ready();
      });
      createInterface({ input: child.stderr! }).on("line", (line) => {
        lines.push(line);
        const port = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (!port) return;
        clearTimeout(late);
        this.#port = Number(port);
        if (this.link) ready();
      });
    });
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
