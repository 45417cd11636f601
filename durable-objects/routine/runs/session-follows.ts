/** What a step of a run means for its session. */
import type { Tx } from "../work.ts";
import type { RunRow } from "./run-store.ts";

export interface SessionFollows {
  /** It has ended, perhaps without all that was said to it. @returns its row as it is then. */
  ended(tx: Tx, row: RunRow): RunRow;
  /** It waits, without a sandbox. */
  parked(tx: Tx, row: RunRow): void;
}
