/** Reads the time of a one-off schedule: an RFC 3339 time, a local time, or a delay such as "in 2 weeks". Pure. */
import { DAY_MS, instantOf, localOf } from "./zone-clock.ts";

/** Unix milliseconds, or a sentence for the person who wrote the text. */
export type ReadTime = { atMs: number } | { fault: string };

const MINUTE_MS = 60_000;
const RELATIVE = /^in\s+(\d{1,5})\s*([a-z]+)$/i;
const ABSOLUTE = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(Z|[+-]\d{2}:\d{2})?$/i;

/** Minutes and hours are counted as elapsed time; days and weeks keep the time of day that the clocks show. */
const UNITS: { names: string[]; elapsedMs: number; days: number }[] = [
  { names: ["m", "min", "mins", "minute", "minutes"], elapsedMs: MINUTE_MS, days: 0 },
  { names: ["h", "hr", "hrs", "hour", "hours"], elapsedMs: 60 * MINUTE_MS, days: 0 },
  { names: ["d", "day", "days"], elapsedMs: 0, days: 1 },
  { names: ["w", "week", "weeks"], elapsedMs: 0, days: 7 },
];

/** RFC 3339 has four digits for the year. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const EXAMPLES = 'for example "2026-12-05T09:00", "2026-12-05T09:00:00Z" or "in 2 weeks"';

/** @param zone read for times without an offset, and for days and weeks. @param nowMs what a delay counts from. */
export function readAt(at: string, zone: string, nowMs: number): ReadTime {
  const text = at.trim();
  const relative = RELATIVE.exec(text);
  if (relative !== null) return readDelay(Number(relative[1]), relative[2] ?? "", zone, nowMs);
  const absolute = ABSOLUTE.exec(text);
  if (absolute === null) return { fault: `"${text}" can't be read as a time: write ${EXAMPLES}.` };
  const [, date = "", time = "", seconds = "00", fraction = "0", offset] = absolute;
  const shown = `${date}T${time}:${seconds}.${fraction.padEnd(3, "0")}Z`;
  const local = Date.parse(shown);
  // The parser would take 30 February for 2 March.
  if (Number.isNaN(local) || new Date(local).toISOString() !== shown) {
    return { fault: `"${text}" names a date or a time of day that does not exist: write ${EXAMPLES}.` };
  }
  if (offset === undefined) return within(instantOf(zone, local), text);
  if (offset.toUpperCase() === "Z") return { atMs: local };
  const [hours = 0, minutes = 0] = offset.slice(1).split(":").map(Number);
  if (hours > 23 || minutes > 59) return { fault: `"${text}" has an offset that no zone has: write ${EXAMPLES}.` };
  const offsetMs = (hours * 60 + minutes) * MINUTE_MS;
  return within(offset.startsWith("-") ? local + offsetMs : local - offsetMs, text);
}

function within(atMs: number, text: string): ReadTime {
  if (atMs <= LAST_MS) return { atMs };
  return { fault: `"${text}" is after the year 9999 in UTC: write a time that comes before.` };
}

/** A delay ends at a whole minute, because schedules are looked at once a minute. */
function readDelay(amount: number, name: string, zone: string, nowMs: number): ReadTime {
  const unit = UNITS.find(({ names }) => names.includes(name.toLowerCase()));
  if (unit === undefined) {
    return { fault: `"${name}" is no unit of a delay: use minutes, hours, days or weeks, for example "in 2 weeks".` };
  }
  if (amount === 0) return { fault: 'A delay must be at least one minute, for example "in 30m".' };
  const atMs =
    unit.days === 0
      ? nowMs + amount * unit.elapsedMs
      : instantOf(zone, localOf(zone, nowMs) + amount * unit.days * DAY_MS);
  return within(Math.ceil(atMs / MINUTE_MS) * MINUTE_MS, `in ${amount} ${name}`);
}
