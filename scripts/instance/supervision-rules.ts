/** Pure: when a program counts as gone, and how soon it is started again. */

/** One look at a program: it answers, its port is shut, or it takes the call and says nothing. */
export type HealthMark = "answers" | "refuses" | "silent";

/** The state of health, and since when it has been so. */
export interface Health {
  mark: HealthMark;
  sinceMs: number;
}

/** A shut port heals by itself within this time, or not at all: workerd's host starts it again when it dies. */
const REFUSING_LIMIT_MS = 1_200;
/** A program that is only busy must not be killed for it. */
const SILENT_LIMIT_MS = 8_000;

export function nextHealth(previous: Health | null, mark: HealthMark, nowMs: number): Health {
  return previous?.mark === mark ? previous : { mark, sinceMs: nowMs };
}

export function isGone({ mark, sinceMs }: Health, nowMs: number): boolean {
  if (mark === "answers") return false;
  return nowMs - sinceMs >= (mark === "refuses" ? REFUSING_LIMIT_MS : SILENT_LIMIT_MS);
}

/** At once after a single death, then slower, so that a program that can't run does not eat the machine. */
export function restartPauseMs(quickDeaths: number): number {
  return quickDeaths <= 2 ? 0 : Math.min(5_000, 250 * 2 ** (quickDeaths - 3));
}
