/** The variables that say how long and how much an instance keeps. */
import { z } from "zod";

export function between(least: number, most: number, fallback: number) {
  const number = z.coerce
    .number("must be a number")
    .int("must be a whole number")
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`);
  return z.preprocess((value) => (value === "" ? undefined : value), number.default(fallback));
}

export const keepVariables = {
  // Eight days at least: longer than any source sends again, and than a write that was given up may still come.
  KEEP_DAYS: between(8, 36_500, 90),
  KEEP_RUNS: between(100, 1_000_000, 50_000),
  KEEP_OCCURRENCES: between(100, 5_000_000, 200_000),
  KEEP_FILES_DAYS: between(1, 36_500, 30),
  KEEP_DELIVERIES_DAYS: between(2, 365, 7),
  MOVE_TRANSCRIPTS_DAYS: between(1, 36_500, 7),
  MOVE_TRANSCRIPTS_MB: between(1, 9_000, 1_000),
};

/** As the platform hands them over. */
export type KeepVariables = { [Name in keyof typeof keepVariables]?: string };

/** Names, which may be shown as they are. */
export const KEEP_NAMES = Object.keys(keepVariables) as (keyof KeepVariables)[];

/** How long and how much is kept. Times are milliseconds. */
export interface Keep {
  /** Sessions after their last run, runs after their end, occurrences, uses of secrets. */
  forMs: number;
  /** So many of each routine at most. */
  runs: number;
  occurrences: number;
  /** Files that runs have shown. */
  filesForMs: number;
  /** Deliveries with their bodies. */
  deliveriesForMs: number;
  /** The transcript of a session stays in its object so long after its last run; then it lies in R2. */
  transcriptsHereForMs: number;
  /** An object with more than this, in bytes, has transcripts go to R2 earlier. */
  transcriptsHereBytes: number;
}

const DAY_MS = 24 * 3_600_000;

export function keepIn(vars: Record<keyof KeepVariables, number>): Keep {
  return {
    forMs: vars.KEEP_DAYS * DAY_MS,
    runs: vars.KEEP_RUNS,
    occurrences: vars.KEEP_OCCURRENCES,
    filesForMs: vars.KEEP_FILES_DAYS * DAY_MS,
    deliveriesForMs: vars.KEEP_DELIVERIES_DAYS * DAY_MS,
    transcriptsHereForMs: vars.MOVE_TRANSCRIPTS_DAYS * DAY_MS,
    transcriptsHereBytes: vars.MOVE_TRANSCRIPTS_MB * 1_000_000,
  };
}
