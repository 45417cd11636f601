/** Which routines have a spare executor of their own: those that fire often. Pure. All moments are by `performance.now()`. */

/** The runs of a routine that this runner has had. */
export interface RoutineRuns {
  routine: string;
  /** When each has come, the latest last. */
  cameAtMs: readonly number[];
  /** Whether an agent can be prepared for runs as its latest. */
  isPreparable: boolean;
  /** Whether it has a spare already. */
  isKept: boolean;
}

/** A routine fires often if so many runs of it have come within this time. */
export const OFTEN_RUNS = 2;
export const OFTEN_MS = 3_600_000;
/**
 * One that has a spare keeps it while a single run counts: else it would go shortly before the run that it is for, of a routine that fires
 * every half an hour or less often.
 */
const KEPT_RUNS = 1;
/** So many more runs has another to have for its place. Of routines that fire as often, one is ahead by so many for a moment now and then. */
const LEAD_RUNS = 2;

/** @returns those of the times that still count. */
export function lately(cameAtMs: readonly number[], nowMs: number): number[] {
  return cameAtMs.filter((at) => nowMs - at < OFTEN_MS);
}

/**
 * @returns the routines that are to have a spare, `most` at most: those that fire most often. One that has a spare already keeps it unless
 * another fires clearly more often, else each would lose it to the other; of others that are alike it is the one whose run is the latest.
 */
export function routinesToKeep(all: readonly RoutineRuns[], most: number, nowMs: number): string[] {
  return all
    .map((one) => ({ ...one, cameAtMs: lately(one.cameAtMs, nowMs) }))
    .filter(
      ({ isPreparable, isKept, cameAtMs }) => isPreparable && cameAtMs.length >= (isKept ? KEPT_RUNS : OFTEN_RUNS),
    )
    .sort(
      (one, other) =>
        weight(other) - weight(one) ||
        Number(other.isKept) - Number(one.isKept) ||
        (other.cameAtMs.at(-1) ?? 0) - (one.cameAtMs.at(-1) ?? 0),
    )
    .slice(0, most)
    .map(({ routine }) => routine);
}

function weight({ cameAtMs, isKept }: RoutineRuns): number {
  return cameAtMs.length + (isKept ? LEAD_RUNS : 0);
}

/** @returns when the first of the times stops to count; null where there is none. */
export function nextForgotten(all: readonly Pick<RoutineRuns, "cameAtMs">[]): number | null {
  const times = all.flatMap(({ cameAtMs }) => cameAtMs);
  return times.length === 0 ? null : times.reduce((one, other) => Math.min(one, other)) + OFTEN_MS;
}
