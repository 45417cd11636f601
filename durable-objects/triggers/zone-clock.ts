/** What the clocks of an IANA zone show: offsets, the instants at which they change, and local times. Pure. */

export const DAY_MS = 86_400_000;

/** An instant at which a zone's offset changes. */
export interface Transition {
  atMs: number;
  /** Local minus UTC, in milliseconds, up to the instant and from it on. */
  beforeMs: number;
  afterMs: number;
}

/** A local time is kept as the Unix milliseconds at which a clock in UTC shows the same. */
export type LocalMs = number;

/** Making a format costs far more than using it; an instance meets few zones. */
const formats = new Map<string, Intl.DateTimeFormat>();
const FORMATS_KEPT = 64;

/** @returns local minus UTC, in milliseconds. @throws RangeError on a zone that the runtime does not know. */
export function offsetMs(zone: string, atMs: number): number {
  const text = formatOf(zone).format(atMs);
  const [, sign, hours, minutes, seconds] = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text) ?? [];
  const ms = (Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1_000;
  return sign === "-" ? -ms : ms;
}

/** @returns the change of offset after `fromMs` and up to `toMs`, null when both have the same offset. */
export function transitionBetween(zone: string, fromMs: number, toMs: number): Transition | null {
  const beforeMs = offsetMs(zone, fromMs);
  const afterMs = offsetMs(zone, toMs);
  if (beforeMs === afterMs) return null;
  let [low, high] = [fromMs, toMs];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(zone, middle) === beforeMs) low = middle;
    else high = middle;
  }
  return { atMs: high, beforeMs, afterMs: offsetMs(zone, high) };
}

/**
 * The instant of a local time. One that the clocks skip is the end of the gap; one that they show twice is the first.
 * @returns Unix milliseconds.
 */
export function instantOf(zone: string, local: LocalMs): number {
  // No zone is a day away from UTC, so the instant lies between the two.
  const change = transitionBetween(zone, local - DAY_MS, local + DAY_MS);
  if (change === null) return local - offsetMs(zone, local);
  if (local < change.atMs + change.beforeMs) return local - change.beforeMs;
  return Math.max(change.atMs, local - change.afterMs);
}

/** What a clock in the zone shows. */
export function localOf(zone: string, atMs: number): LocalMs {
  return atMs + offsetMs(zone, atMs);
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const kept = formats.get(zone);
  if (kept !== undefined) return kept;
  if (formats.size >= FORMATS_KEPT) formats.clear();
  const made = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  formats.set(zone, made);
  return made;
}
