/** Which routines have a spare executor of their own: those that fire often. Pure. */

/** The runs of a routine that this runner has had. */
export interface RoutineRuns {
  routine: string;
  /** When each has come, in Unix milliseconds, the latest last. */
  cameAtMs: readonly number[];
  /** Whether an agent can be prepared for runs as its latest. */
  isPreparable: boolean;
  /** Whether it has a spare already. */
  isKept: boolean;
}

/** A routine fires often if so many runs of it have come within this time. */
export const OFTEN_RUNS = 2;
export const OFTEN_MS = 3_600_000;

/** @returns those of the times that still count. */
export function lately(cameAtMs: readonly number[], nowMs: number): number[] {
  return cameAtMs.filter((at) => nowMs - at < OFTEN_MS);
}

/**
 * @returns the routines that are to have a spare, `most` at most: those that fire most often. Of two that fire as often the one that has
 * a spare already, else each would lose it to the other; else the one whose run is the latest.
 */
export function routinesToKeep(all: readonly RoutineRuns[], most: number, nowMs: number): string[] {
  return all
    .map((one) => ({ ...one, cameAtMs: lately(one.cameAtMs, nowMs) }))
    .filter(({ isPreparable, cameAtMs }) => isPreparable && cameAtMs.length >= OFTEN_RUNS)
    .sort(
      (one, other) =>
        other.cameAtMs.length - one.cameAtMs.length ||
        Number(other.isKept) - Number(one.isKept) ||
        (other.cameAtMs.at(-1) ?? 0) - (one.cameAtMs.at(-1) ?? 0),
    )
    .slice(0, most)
    .map(({ routine }) => routine);
}

/** @returns when the first of the times stops to count, in Unix milliseconds; null where there is none. */
export function nextForgotten(all: readonly Pick<RoutineRuns, "cameAtMs">[]): number | null {
  const times = all.flatMap(({ cameAtMs }) => cameAtMs);
  return times.length === 0 ? null : times.reduce((one, other) => Math.min(one, other)) + OFTEN_MS;
}
