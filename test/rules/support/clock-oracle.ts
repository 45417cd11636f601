/** When a cron expression fires, found the slow way: every minute, with what Intl says that the zone's clocks show. */

const MINUTE_MS = 60_000;
const SETTINGS = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;

/** What a clock shows, as the milliseconds at which one in UTC shows the same. */
function shownBy(format: Intl.DateTimeFormat, atMs: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(atMs)) part[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute);
}

/** @returns for each minute from `fromMs` on, what the zone's clocks show. */
export function shownMinutes(zone: string, fromMs: number, untilMs: number): number[] {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", ...SETTINGS });
  const shown: number[] = [];
  for (let atMs = fromMs; atMs <= untilMs; atMs += MINUTE_MS) shown.push(shownBy(format, atMs));
  return shown;
}

/** Of numbers alone: no names, no steps but in `*\/n` and `a-b/n`. */
function isNamed(field: string, value: number): boolean {
  return field.split(",").some((item) => {
    const [range = "", step = "1"] = item.split("/");
    const [from, to] = range === "*" ? [0, 99] : range.split("-").map(Number);
    if (from === undefined || value < from || value > (to ?? from)) return false;
    return (value - from) % Number(step) === 0;
  });
}

function isMatch(cron: string, shownMs: number): boolean {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = cron.split(" ");
  const date = new Date(shownMs);
  if (!isNamed(minute, date.getUTCMinutes()) || !isNamed(hour, date.getUTCHours())) return false;
  if (!isNamed(month, date.getUTCMonth() + 1)) return false;
  const isDay = isNamed(day, date.getUTCDate());
  const isWeekday = isNamed(weekday, date.getUTCDay()) || isNamed(weekday, date.getUTCDay() || 7);
  return day === "*" || weekday === "*" ? isDay && isWeekday : isDay || isWeekday;
}

/**
 * @param shown what `shownMinutes` gave for the stretch that begins at `fromMs`; it must begin far from any change.
 * @returns the instants after `fromMs` at which the expression fires.
 */
export function firesOf(cron: string, shown: readonly number[], fromMs: number): number[] {
  const isElapsed = /[*/]/.test(cron.split(" ")[1] ?? "");
  const fires: number[] = [];
  let furthest = shown[0] ?? 0;
  for (const [at, local] of shown.entries()) {
    if (at === 0) continue;
    let isFiring = isElapsed && isMatch(cron, local);
    // Every reading that has not come before, also those that the clocks have just leapt over.
    while (furthest < local) {
      furthest += MINUTE_MS;
      isFiring ||= !isElapsed && isMatch(cron, furthest);
    }
    if (isFiring) fires.push(fromMs + at * MINUTE_MS);
  }
  return fires;
}
