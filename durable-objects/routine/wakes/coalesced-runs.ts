/** Rows of bursts: which waiting run the next event of a kind joins. */
import type { Tx } from "../work.ts";

interface Coalesced {
  runId: string;
  /** When the run starts at the latest. */
  endsAtMs: number;
}

export class CoalescedRuns {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(triggerId: string, key: string): Coalesced | null {
    const [row] = this.#sql.exec<{ runId: string; endsAtMs: number }>(FIND, triggerId, key).toArray();
    return row ?? null;
  }

  /** Ids of runs that wait for their burst to end. */
  waiting(nowMs: number): string[] {
    return this.#sql
      .exec<{ id: string }>(WAITING, nowMs)
      .toArray()
      .map(({ id }) => id);
  }

  /** Opens a burst in the place of one that is over; forgets those that ended long ago. */
  open(tx: Tx, triggerId: string, key: string, burst: Coalesced): void {
    tx.sql.exec("DELETE FROM bursts WHERE ends_at < ?", tx.nowMs);
    tx.sql.exec(OPEN, triggerId, key, burst.runId, burst.endsAtMs);
  }
}

const FIND = "SELECT run_id AS runId, ends_at AS endsAtMs FROM bursts WHERE trigger_id = ? AND key = ?";
const WAITING = `SELECT runs.id AS id FROM bursts JOIN runs ON runs.id = bursts.run_id
  WHERE runs.status = 'queued' AND runs.not_before > ?`;
const OPEN = `INSERT INTO bursts (trigger_id, key, run_id, ends_at) VALUES (?, ?, ?, ?)
  ON CONFLICT (trigger_id, key) DO UPDATE SET run_id = excluded.run_id, ends_at = excluded.ends_at`;
