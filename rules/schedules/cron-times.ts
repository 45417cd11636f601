/** The instants at which a cron expression fires in a zone, through every change of its clocks. Pure. */
import { Cron } from "croner";
import type { CronFields } from "./cron-fields.ts";
import { DAY_MS, type LocalMs, offsetMs, transitionBetween } from "./zone-clock.ts";

/** Instants at which an expression fires, ascending: `baseMs` plus each of `times`. Never empty. */
export interface Chunk {
  baseMs: number;
  times: readonly number[];
}

/**
 * All instants after `afterMs` (exclusive), ascending, in chunks of at most a local day, so that whoever counts a year
 * of minutes works through its days. Ends when the expression occurs no more; else it goes on.
 *
 * croner knows the calendar here (month lengths, leap days, either day field); the zone's clocks are followed by hand,
 * for its rule for a fixed time holds for one hour and minute alone, not for lists of them.
 */
export function* cronChunks(fields: CronFields, zone: string, afterMs: number): Generator<Chunk, void> {
  const calendar = calendarOf(fields);
  // Everything before the instant `fromMs` is done, and every local time before `fromLocal`.
  let fromMs = afterMs;
  let fromLocal = firstLocal(fields, zone, afterMs);
  for (;;) {
    const offset = offsetMs(zone, fromMs);
    const day = Math.floor(fromLocal / DAY_MS) * DAY_MS;
    const matching = calendar.dayFrom(day);
    if (matching === null) return;
    if (matching - day > 4 * DAY_MS) {
      // Nothing fires until then, so the changes of the clocks in between need not be looked at.
      fromMs = matching - 2 * DAY_MS;
      fromLocal = fromMs + offsetMs(zone, fromMs);
      continue;
    }
    const change = transitionBetween(zone, fromMs, day + DAY_MS - offset);
    const untilLocal = change === null ? day + DAY_MS : change.atMs + offset;
    if (matching === day) {
      const times = between(calendar.times, fromLocal - day, untilLocal - day);
      yield* chunk(day - offset, times, afterMs);
    }
    fromMs = change?.atMs ?? untilLocal - offset;
    if (change === null) {
      fromLocal = untilLocal;
    } else if (fields.followsElapsedTime) {
      fromLocal = change.atMs + change.afterMs;
    } else {
      const gapFrom = Math.max(fromLocal, untilLocal);
      const gapUntil = change.atMs + change.afterMs;
      const isSkipped = calendar.hasIn(gapFrom, gapUntil);
      if (isSkipped) yield* chunk(change.atMs, [0], afterMs);
      // When the end of the gap is a time of the expression itself, it has fired with those skipped.
      fromLocal = Math.max(gapFrom, isSkipped ? gapUntil + 1 : gapUntil);
    }
  }
}

/** @returns whether the expression names any day at all, from `nowMs` on. */
export function occurs(fields: CronFields, nowMs: number): boolean {
  return calendarOf(fields).dayFrom(Math.floor(nowMs / DAY_MS) * DAY_MS) !== null;
}

/** The first local time to look at: fixed times that the clocks show for the second time have fired already. */
function firstLocal(fields: CronFields, zone: string, afterMs: number): LocalMs {
  const shown = afterMs + offsetMs(zone, afterMs);
  if (fields.followsElapsedTime) return shown;
  const change = transitionBetween(zone, afterMs - DAY_MS, afterMs);
  return change === null ? shown : Math.max(shown, change.atMs + change.beforeMs);
}

interface Calendar {
  /** Times of day, in milliseconds from midnight. */
  times: number[];
  /** The first day that the expression names, from `day` on (both are midnights); null when there is none. */
  dayFrom: (day: LocalMs) => LocalMs | null;
  /** Whether a local time of the expression lies in the stretch. */
  hasIn: (from: LocalMs, until: LocalMs) => boolean;
}

/** Kept, because reading an expression costs more than asking it for a day, and the same fields come again and again. */
const calendars = new WeakMap<CronFields, Calendar>();

function calendarOf(fields: CronFields): Calendar {
  const kept = calendars.get(fields);
  if (kept !== undefined) return kept;
  const made = makeCalendar(fields);
  calendars.set(fields, made);
  return made;
}

function makeCalendar(fields: CronFields): Calendar {
  const times = fields.hours.flatMap((hour) => fields.minutes.map((minute) => (hour * 60 + minute) * 60_000));
  const days = [fields.daysOfMonth, fields.months, fields.daysOfWeek].map((values) => values?.join(",") ?? "*");
  const cron = new Cron(`0 0 ${days.join(" ")}`, { mode: "5-part", utcOffset: 0, paused: true });
  let known: { from: LocalMs; day: LocalMs | null } | null = null;
  function dayFrom(day: LocalMs): LocalMs | null {
    if (known !== null && known.from <= day && (known.day === null || day <= known.day)) return known.day;
    known = { from: day, day: cron.nextRun(new Date(day - 1))?.getTime() ?? null };
    return known.day;
  }
  function hasIn(from: LocalMs, until: LocalMs): boolean {
    let day = dayFrom(Math.floor(from / DAY_MS) * DAY_MS);
    while (day !== null && day < until) {
      if (between(times, from - day, until - day).length > 0) return true;
      day = dayFrom(day + DAY_MS);
    }
    return false;
  }
  return { times, dayFrom, hasIn };
}

function* chunk(baseMs: number, times: readonly number[], afterMs: number): Generator<Chunk, void> {
  const later = between(times, afterMs + 1 - baseMs, Number.POSITIVE_INFINITY);
  if (later.length > 0) yield { baseMs, times: later };
}

/** Those from `from` to before `until`; the list itself when that is all of it. */
function between(times: readonly number[], from: number, until: number): readonly number[] {
  const first = times[0];
  const last = times.at(-1);
  if (first === undefined || last === undefined || (first >= from && last < until)) return times;
  return times.filter((time) => time >= from && time < until);
}
