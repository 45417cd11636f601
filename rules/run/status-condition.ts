/** Statuses of runs as conditions of SQL, made from the table of states. */
import { type RunStates, unsettledStatuses } from "#protocol/run-states.ts";

type Status = keyof RunStates;

/** @returns for instance `status IN ('starting', 'running')`. */
export function statusIn(statuses: readonly Status[]): string {
  return `status IN (${statuses.map((status) => `'${status}'`).join(", ")})`;
}

/**
 * The condition of the partial index on runs that have not settled. A query has to say the same, word for word: else SQLite
 * does not see that the index will do.
 */
export const IS_UNSETTLED = statusIn(unsettledStatuses);
