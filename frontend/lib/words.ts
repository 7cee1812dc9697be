// Times, ages and counts as people say them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clockWithSeconds = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });

/** `14:02` */
export function timeOfDay(ms: number): string {
  return ms ? clock.format(ms) : "";
}

/** `14:02:11` */
export function exactTime(ms: number): string {
  return ms ? clockWithSeconds.format(ms) : "";
}

/** `8 s`, `3 min`, `1 h 05 min`, `2 d`: the two largest units that matter. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10 && seconds % 60 > 0) return `${minutes} min ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d`;
}

/** How long ago, coarsely enough not to flicker: `now`, `12 s ago`, `3 min ago`. */
export function ago(then: number, now: number): string {
  const age = now - then;
  if (age < 3_000) return "now";
  if (age < 3_600_000 && age >= 60_000) return `${Math.floor(age / 60_000)} min ago`;
  return `${span(age)} ago`;
}

/** `1 message`, `12 messages` */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** Messages per minute, with no more digits than the number deserves. */
export function rate(perMinute: number): string {
  if (perMinute <= 0) return "0/min";
  if (perMinute < 1) return "<1/min";
  return `${Math.round(perMinute).toLocaleString("en")}/min`;
}
