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

/**
 * Whether a row's run has not settled, 1 or 0, as the index by session has it behind the session. A query has to compare it
 * with a number: else SQLite reads all runs of the session. @param table its name in the query.
 */
export function unsettledIn(table: string): string {
  return `(${table}.${IS_UNSETTLED})`;
}
