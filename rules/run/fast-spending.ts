/** Whether a routine spends much faster than it usually does. Pure. */

/** So many days before are looked at, and so many of them must have had calls for anything to be usual. */
export const DAYS_BEFORE = 28;
const DAYS_AT_LEAST = 3;
/** So many times a usual day, and so much more than one, in US dollars. */
const TIMES = 3;
const FLOOR_USD = 1;
const DAY_MS = 86_400_000;

/** The day of a moment, in UTC. */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** The first of the days that are looked at. */
export function firstDayBefore(atMs: number): string {
  return dayOf(atMs - DAYS_BEFORE * DAY_MS);
}

/**
 * A usual day is the median of those that had calls: a routine of each Monday is compared with its Mondays.
 * @param before what each of the days before has cost. @returns what a usual day costs; null where today is no more than usual.
 */
export function usualWhereFast(todayUsd: number, before: readonly number[]): number | null {
  const days = before.filter((usd) => usd > 0).sort((one, other) => one - other);
  if (days.length < DAYS_AT_LEAST) return null;
  const middle = days.length / 2;
  const [low = 0, high = low] = [days[Math.ceil(middle) - 1], days[Math.floor(middle)]];
  const usual = (low + high) / 2;
  return todayUsd >= TIMES * usual && todayUsd - usual >= FLOOR_USD ? usual : null;
}

export function fastWords(day: string, todayUsd: number, usualUsd: number): string {
  return `${todayUsd.toFixed(2)} dollars on ${day} (UTC) so far; a usual day costs ${usualUsd.toFixed(2)}.`;
}
