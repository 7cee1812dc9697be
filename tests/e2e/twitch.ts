// A stand-in for Twitch's chat server: as much of IRC over WebSocket as a reading client meets. It imitates the
// platform, not our parser.

import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "../../frontend/browser";

interface Said {
  id?: string;
  login?: string;
  name?: string;
  userId?: string;
  color?: string;
  /** As the tag has them: `moderator/1,subscriber/12`, `25:0-4`. */
  badges?: string;
  emotes?: string;
  /** Further tags, or others instead: `reply-parent-msg-body`, `bits`. */
  tags?: Record<string, string>;
}

/** A channel's id: no two channels share one, since the store knows them by it. */
const room = (channel: string) => 70_000_000 + [...channel].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9_999_999, 7);
const HOST = "tmi.twitch.tv";

export class Twitch {
  #server: WebSocketServer;
  #joined = new Map<WebSocket, Set<string>>();
  #waiting: (() => void)[] = [];
  #count = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket) => this.#greet(socket));
  }

  static async start(): Promise<Twitch> {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await new Promise((ready) => server.once("listening", ready));
    return new Twitch(server);
  }

  get address(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Waits until somebody listens to the channel. */
  async joined(channel: string): Promise<void> {
    while (![...this.#joined.values()].some((channels) => channels.has(channel))) {
      await new Promise<void>((changed) => this.#waiting.push(changed));
    }
  }

  /** Says a line in a channel and gives its id. */
  say(channel: string, text: string, { id, login, name, userId, color, badges, emotes, tags = {} }: Said = {}): string {
    const line = id ?? `e2e00000-0000-4000-8000-${String(++this.#count).padStart(12, "0")}`;
    const who = login ?? "mara_vale";
    const all = {
      "badge-info": "", badges: badges ?? "", color: color ?? "#8AE020", "display-name": name ?? who, emotes: emotes ?? "", "first-msg": "0",
      flags: "", id: line, mod: "0", "returning-chatter": "0", "room-id": String(room(channel)), subscriber: "0", "tmi-sent-ts": String(Date.now()),
      turbo: "0", "user-id": userId ?? "40286300", "user-type": "", ...tags,
    };
    this.#send(channel, `@${tagged(all)} :${who}!${who}@${who}.${HOST} PRIVMSG #${channel} :${text}`);
    return line;
  }

  /** The line as another channel of a shared session has it; gives the id it has there. */
  copy(channel: string, text: string, typedIn: string, id: string): string {
    return this.say(channel, text, { tags: { "source-id": id, "source-room-id": String(room(typedIn)) } });
  }

  remove(channel: string, id: string, login = "mara_vale") {
    const tags = `login=${login};room-id=${room(channel)};target-msg-id=${id};tmi-sent-ts=${Date.now()}`;
    this.#send(channel, `@${tags} :${HOST} CLEARMSG #${channel} :gone`);
  }

  timeout(channel: string, login: string, userId: string, seconds: number) {
    const tags = `ban-duration=${seconds};room-id=${room(channel)};target-user-id=${userId};tmi-sent-ts=${Date.now()}`;
    this.#send(channel, `@${tags} :${HOST} CLEARCHAT #${channel} :${login}`);
  }

  raid(channel: string, name: string, viewers: number) {
    const login = name.toLowerCase();
    this.notice(channel, {
      "display-name": name, color: "#FF7F50", login, "user-id": "333111", "msg-id": "raid", "msg-param-displayName": name, "msg-param-login": login,
      "msg-param-viewerCount": String(viewers), "system-msg": `${viewers} raiders from ${name} have joined!`,
    });
  }

  /** A line the platform writes, with what the person said along with it. */
  notice(channel: string, tags: Record<string, string>, said = "") {
    const all = {
      "badge-info": "", badges: "", emotes: "", flags: "", id: `notice-${++this.#count}`, mod: "0", "room-id": String(room(channel)), subscriber: "0",
      "tmi-sent-ts": String(Date.now()), "user-type": "", ...tags,
    };
    this.#send(channel, `@${tagged(all)} :${HOST} USERNOTICE #${channel}${said ? ` :${said}` : ""}`);
  }

  async stop() {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((closed) => this.#server.close(closed));
  }

  #send(channel: string, line: string) {
    for (const [socket, channels] of this.#joined) if (channels.has(channel)) socket.send(`${line}\r\n`);
  }

  #greet(socket: WebSocket) {
    const channels = new Set<string>();
    this.#joined.set(socket, channels);
    let nick = "justinfan1";
    const reply = (line: string) => socket.send(`${line}\r\n`);
    const commands: Record<string, (rest: string) => void> = {
      CAP: (rest) => reply(`:${HOST} CAP * ACK :${rest.split(":")[1] ?? ""}`),
      NICK: (rest) => {
        nick = rest.toLowerCase();
        reply(`:${HOST} 001 ${nick} :Welcome, GLHF!`);
        reply(`:${HOST} 376 ${nick} :>`);
      },
      PING: (rest) => reply(`:${HOST} PONG ${HOST} ${rest.startsWith(":") ? rest : `:${rest}`}`),
      JOIN: (rest) => {
        for (const channel of rest.split(",").map((name) => name.trim().replace(/^#/, ""))) {
          channels.add(channel);
          reply(`:${nick}!${nick}@${nick}.${HOST} JOIN #${channel}`);
          reply(`:${nick}.${HOST} 366 ${nick} #${channel} :End of /NAMES list`);
          reply(`@emote-only=0;followers-only=-1;r9k=0;room-id=${room(channel)};slow=0;subs-only=0 :${HOST} ROOMSTATE #${channel}`);
        }
      },
      PART: (rest) => {
        for (const channel of rest.split(",").map((name) => name.trim().replace(/^#/, ""))) {
          channels.delete(channel);
          reply(`:${nick}!${nick}@${nick}.${HOST} PART #${channel}`);
        }
      },
    };
    socket.on("message", (data) => {
      for (const line of String(data).split("\r\n").filter(Boolean)) {
        const [command = "", ...rest] = line.split(" ");
        commands[command.toUpperCase()]?.(rest.join(" "));
      }
      for (const changed of this.#waiting.splice(0)) changed();
    });
    socket.on("close", () => this.#joined.delete(socket));
  }
}

function tagged(tags: Record<string, string>): string {
  return Object.entries(tags).map(([name, value]) => `${name}=${escaped(value)}`).join(";");
}

/** A tag's value may hold no space and no semicolon. */
function escaped(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/;/g, "\\:").replace(/ /g, "\\s");
}
