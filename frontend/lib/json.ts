// Lenient readers of parsed JSON: each gives its empty value for what is missing or of another type. They know no shapes.

export type Raw = Record<string, unknown>;

export function object(json: unknown): Raw {
  return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Raw) : {};
}

export function string(json: unknown): string {
  return typeof json === "string" ? json : "";
}

/** A string that says something, or null. */
export function maybe(json: unknown): string | null {
  return typeof json === "string" && json !== "" ? json : null;
}

export function maybeNumber(json: unknown): number | null {
  return typeof json === "number" && Number.isFinite(json) ? json : null;
}

export function list<T>(json: unknown, read: (item: unknown) => T | null): T[] {
  if (!Array.isArray(json)) return [];
  return json.map(read).filter((item): item is T & {} => item !== null);
}

export function time(json: unknown): number {
  const ms = Date.parse(string(json));
  return Number.isNaN(ms) ? 0 : ms;
}
