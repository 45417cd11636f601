/** What the stages of retention have in common. */
import type { Tx } from "../work.ts";

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
