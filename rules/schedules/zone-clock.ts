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

/** @returns local minus UTC, in milliseconds. @throws RangeError on a zone that the runtime does not know. */
export function offsetMs(zone: string, atMs: number): number {
  if (zone === "UTC") return 0;
  const text = offsetFormats.of(zone).format(atMs);
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

/** For people, for instance `23 Nov 2026, 10:00`. */
export function shownIn(zone: string, atMs: number): string {
  return shownFormats.of(zone).format(atMs);
}

/** Formats are kept: making one costs far more than using it, and an instance has few zones. */
class Formats {
  readonly #kept = new Map<string, Intl.DateTimeFormat>();
  readonly #locale: string;
  readonly #options: Intl.DateTimeFormatOptions;

  constructor(locale: string, options: Intl.DateTimeFormatOptions) {
    this.#locale = locale;
    this.#options = options;
  }

  of(zone: string): Intl.DateTimeFormat {
    const kept = this.#kept.get(zone);
    if (kept !== undefined) return kept;
    if (this.#kept.size >= FORMATS_KEPT) this.#kept.clear();
    const made = new Intl.DateTimeFormat(this.#locale, { ...this.#options, timeZone: zone });
    this.#kept.set(zone, made);
    return made;
  }
}

const FORMATS_KEPT = 64;
const offsetFormats = new Formats("en-US", { timeZoneName: "longOffset" });
const shownFormats = new Formats("en-GB", { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
