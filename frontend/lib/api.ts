// The HTTP calls pages make. Knows addresses and errors, not shapes: those are wire.ts.

import { parseProblem, parseSession, parseSource, parseSources, type Session, type Source } from "./wire";

/** A refusal with the server's own sentence, ready to show. `status` is 0 when nothing answered. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail);
  }
}

export async function session(): Promise<Session> {
  return parseSession(await call("GET", "/api/session"));
}

export async function sources(): Promise<Source[]> {
  return parseSources(await call("GET", "/api/sources"));
}

/** Adds a channel by any address or name a person may paste. */
export async function addSource(source: string): Promise<Source> {
  const added = parseSource(await call("POST", "/api/sources", { source }));
  if (!added) throw new Problem(0, "the server's answer was not a source");
  return added;
}

/** `keepalive` lets the request outlive the page. */
export async function removeSource(id: string, keepalive = false): Promise<void> {
  await call("DELETE", `/api/sources/${encodeURIComponent(id)}`, undefined, keepalive);
}

/** The address of one of the server's sockets. */
export function socketAddress(path: string, query: Record<string, string>): string {
  const address = new URL(path, location.origin);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  return address.href;
}

async function call(method: string, path: string, body?: unknown, keepalive = false): Promise<unknown> {
  const request: RequestInit = { method, keepalive };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { "content-type": "application/json" };
  }
  const response = await fetch(path, request).catch(() => {
    throw new Problem(0, "the server does not answer");
  });
  const json: unknown = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw new Problem(response.status, parseProblem(json) || `the server answered ${response.status}`);
  return json;
}
