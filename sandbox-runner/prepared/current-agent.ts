/** A program that has been started for runs to come: for which it was, and for which it is still fit. */
import type { Start } from "./dry-start.ts";
import type { PreparedProgram } from "./prepared-program.ts";
import type { RepositoryCopy } from "./repository-copy.ts";
import { type Expected, expectedKey, type Wanted, wantedKey } from "./start-shape.ts";

/** What it has read of the world, the date among it, is as old as the program: then another takes its place. */
export const LONGEST_WAIT_MS = 1_800_000;

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

export function isAsWanted({ expected, program, startedAtMs }: Current, wanted: Expected): boolean {
  return expectedKey(expected) === expectedKey(wanted) && !program.isOver && Date.now() - startedAtMs < LONGEST_WAIT_MS;
}

export function isFor({ expected: { shape, copy } }: Current, wanted: Wanted): boolean {
  return wantedKey({ shape, repository: copy?.repository ?? null }) === wantedKey(wanted);
}

/** The program tells its model which day it is. */
export function isOfToday({ startedAtMs }: Current): boolean {
  return new Date(startedAtMs).toDateString() === new Date().toDateString();
}
