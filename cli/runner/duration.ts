/** Lengths of time as people write them. */

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** @param text such as `90s`, `15m`, `1h`, or `0`. @returns seconds; null for anything else. */
export function readDuration(text: string): number | null {
  const [, count = "", unit = ""] = /^([0-9]{1,6})([smhd])$/.exec(text === "0" ? "0s" : text) ?? [];
  const seconds = UNITS[unit];
  return seconds === undefined ? null : Number(count) * seconds;
}
