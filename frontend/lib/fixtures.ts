// The wire fixtures, for tests: the same files that the server's serializer is checked against.

import { readFileSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { parseEvent, type ChatEvent, type Message } from "./wire";

const folder = resolve(import.meta.dirname, "../../tests/fixtures/wire");

export const fixtureNames = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => name.slice(0, -".json".length));

export function fixtureText(name: string): string {
  return readFileSync(resolve(folder, `${name}.json`), "utf8");
}

export function fixture(name: string): ChatEvent {
  const event = parseEvent(JSON.parse(fixtureText(name)));
  if (!event) throw new Error(`${name} is no event`);
  return event;
}

/** A message like the fixture's, with its own id, and whatever else is given. */
export function message(id: number, changed: Partial<Message> = {}): Message {
  const plain = fixture("event-message");
  if (plain.kind !== "message") throw new Error("event-message is no message");
  return { ...plain, id: String(id), native_id: `native-${id}`, ...changed };
}
