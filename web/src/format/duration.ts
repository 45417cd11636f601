/** Pure: lengths of time as people read them. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** In the zone of whoever reads it, in the order that sorts: `2026-11-22`. */
const day = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short" });

/** Two units at most: `340ms`, `4.2s`, `48s`, `2m 05s`, `1h 05m`, `3d 4h`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 9_950) return `${(ms / SECOND).toFixed(1)}s`;
  const seconds = Math.round(ms / SECOND);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${twoDigits(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
  return `${Math.floor(minutes / 1_440)}d ${Math.floor((minutes % 1_440) / 60)}h`;
}

/** Of something that goes on: whole seconds, so that it ticks evenly. */
export function formatElapsed(ms: number): string {
  const whole = Math.floor(Math.max(0, ms) / SECOND) * SECOND;
  return whole < 10 * SECOND ? `${whole / SECOND}s` : formatDuration(whole);
}

/** @param from, to RFC 3339. */
export function durationBetween(from: string, to: string): string {
  return formatDuration(Date.parse(to) - Date.parse(from));
}

/**
 * How long ago, or in how long: `just now`, `12s ago`, `5m ago`, `3h ago`, `1d 15h ago`, `12d ago`, then the date. What is to come is
 * waited for, so its hours have minutes: `in 3h 40m`.
 */
export function formatRelative(at: number, now: number): string {
  const ms = now - at;
  const size = Math.abs(ms);
  if (size < 5 * SECOND) return "just now";
  if (size >= 30 * DAY) return day.format(at);
  return ms > 0 ? `${coarse(size)} ago` : `in ${coarse(size, true)}`;
}

function coarse(ms: number, hasMinutes = false): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < DAY) return twoUnits(ms, [HOUR, "h"], hasMinutes ? [MINUTE, "m"] : null);
  return twoUnits(ms, [DAY, "d"], ms < 10 * DAY ? [HOUR, "h"] : null);
}

/** A second unit of which there is none is left out. */
function twoUnits(ms: number, [size, name]: [number, string], second: [number, string] | null): string {
  const whole = `${Math.floor(ms / size)}${name}`;
  const rest = second === null ? 0 : Math.floor((ms % size) / second[0]);
  return second === null || rest === 0 ? whole : `${whole} ${rest}${second[1]}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
