/** To which waiting run the next event with the same key is added: rows of the table `bursts`. */
import type { Remembered, Tx, Work } from "../work.ts";

interface Coalesced {
  runId: string;
  /** When the run starts at the latest. */
  endsAtMs: number;
}

export class CoalescedRuns {
  readonly #sql: SqlStorage;
  /** Most routines have none ever, and each fire that waits asks for those that do. */
  readonly #hasAny: Remembered<boolean>;

  constructor(sql: SqlStorage, work: Work) {
    this.#sql = sql;
    this.#hasAny = work.remember(() => sql.exec("SELECT 1 FROM bursts LIMIT 1").toArray().length > 0);
  }

  find(triggerId: string, key: string): Coalesced | null {
    const [row] = this.#sql.exec<{ runId: string; endsAtMs: number }>(FIND, triggerId, key).toArray();
    return row ?? null;
  }

  /** Ids of runs that wait for more events. A run that waits for its retry takes no more. */
  waiting(nowMs: number): string[] {
    if (!this.#hasAny.get()) return [];
    return this.#sql
      .exec<{ id: string }>(WAITING, nowMs)
      .toArray()
      .map(({ id }) => id);
  }

  /** From now on events with this key are added to the run. Also forgets rows that ended long ago. */
  open(tx: Tx, triggerId: string, key: string, coalesced: Coalesced): void {
    tx.sql.exec("DELETE FROM bursts WHERE ends_at < ?", tx.nowMs);
    tx.sql.exec(OPEN, triggerId, key, coalesced.runId, coalesced.endsAtMs);
    this.#hasAny.set(tx, true);
  }
}

const FIND = "SELECT run_id AS runId, ends_at AS endsAtMs FROM bursts WHERE trigger_id = ? AND key = ?";
const WAITING = `SELECT runs.id AS id FROM bursts JOIN runs ON runs.id = bursts.run_id
  WHERE runs.status = 'queued' AND runs.not_before > ? AND json_extract(runs.doc, '$.attempt') = 1`;
const OPEN = `INSERT INTO bursts (trigger_id, key, run_id, ends_at) VALUES (?, ?, ?, ?)
  ON CONFLICT (trigger_id, key) DO UPDATE SET run_id = excluded.run_id, ends_at = excluded.ends_at`;
