/** What the stages of retention have in common. */
import { logTrouble } from "#protocol/log.ts";
import { UnreadableRun } from "../runs/run-store.ts";
import type { Tx, Work } from "../work.ts";

export interface Slice {
  /** @param cursor the last id that has been looked at. @returns the same for the next slice; null where nothing is left. */
  look(tx: Tx, cursor: string): string | null;
}

/**
 * What goes because there is too much of it stays for so long all the same: whatever is repeated, by a source or because an
 * answer was lost, comes within a day.
 */
export const NEVER_YOUNGER_MS = 2 * 24 * 3_600_000;

/** The newest id that is beyond a number of rows, counted from the newest; null where there are not so many. */
export function beyondNumber(sql: SqlStorage, table: "runs" | "occurrences", number: number): string | null {
  const [row] = sql.exec<{ id: string }>(`SELECT id FROM ${table} ORDER BY id DESC LIMIT 1 OFFSET ?`, number).toArray();
  return row?.id ?? null;
}

/**
 * Looks at something of a run's. A run that can't be read holds up no other: it stays as it is, and is told of.
 * @param look does nothing by halves where it meets one. @returns null where one of them can't be read.
 */
export function pastUnreadable<Seen>(tx: Tx, work: Work, look: () => Seen): Seen | null {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof UnreadableRun)) throw error;
    const { runId } = error;
    work.afterwards(tx, `unreadable:${runId}`, () => logTrouble("run_unreadable", { run_id: runId }, error));
    return null;
  }
}
