/** A program that has been started for runs to come: for which it was, and for which it is still fit. */
import type { Start } from "./dry-start.ts";
import type { PreparedProgram } from "./prepared-program.ts";
import type { RepositoryCopy } from "./repository-copy.ts";
import { type Expected, expectedKey, type Wanted, wantedKey } from "./start-shape.ts";

/** What it has read of the world, the date among it, is as old as the program: then another takes its place. */
const LONGEST_WAIT_MS = 1_800_000;
/** No look is sooner after another: a timer may be early, and the clock be set back. */
const SHORTEST_WAIT_MS = 1_000;

export interface Current {
  expected: Expected;
  copy: RepositoryCopy | null;
  sessionId: string;
  start: Start;
  /** Those of its settings. */
  variables: Record<string, string>;
  program: PreparedProgram;
  startedAtMs: number;
}

export function isAsWanted(current: Current, wanted: Expected): boolean {
  const { expected, program, startedAtMs } = current;
  const isYoung = Date.now() - startedAtMs < LONGEST_WAIT_MS && isOfToday(current);
  return expectedKey(expected) === expectedKey(wanted) && !program.isOver && isYoung;
}

export function isFor({ expected: { shape, copy } }: Current, wanted: Wanted): boolean {
  return wantedKey({ shape, repository: copy?.repository ?? null }) === wantedKey(wanted);
}

/** The program tells its model which day it is. */
export function isOfToday({ startedAtMs }: Pick<Current, "startedAtMs">): boolean {
  return new Date(startedAtMs).toDateString() === new Date().toDateString();
}

/** @returns when to look again whether it is as wanted, from now: when it is too old, or at the end of its day, if that is sooner. */
export function nextLookMs({ startedAtMs }: Pick<Current, "startedAtMs">): number {
  const endOfDayMs = new Date(startedAtMs).setHours(24, 0, 0, 0);
  const restMs = Math.min(startedAtMs + LONGEST_WAIT_MS, endOfDayMs) - Date.now();
  return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, restMs));
}
