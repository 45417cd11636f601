/** Deadlines of runs, as rows; the object arms its one alarm for the earliest. */
import { logTrouble } from "#protocol/log.ts";
import { backoffMs } from "#rules/backoff.ts";
import type { DeadlineKind } from "#rules/run/inputs.ts";
import type { Remembered, Tx, Work } from "../work.ts";

export interface Deadline {
  kind: DeadlineKind;
  ref: string;
  /** Unix milliseconds. */
  due_at: number;
}

type Row = Record<string, SqlStorageValue>;

/** How many are handled at one ring of the alarm; the rest follow a moment later. */
const DUE_AT_ONCE = 500;

export class Deadlines {
  readonly #sql: SqlStorage;
  readonly #work: Work;
  /** Not later than the earliest deadline. */
  readonly #earliest: Remembered<number | null>;
  /** How often in a row a deadline could not be seen to. */
  readonly #failures = new Map<string, number>();

  constructor(sql: SqlStorage, work: Work) {
    this.#sql = sql;
    this.#work = work;
    this.#earliest = work.remember(() => sql.exec<{ at: number | null }>(EARLIEST).one().at);
  }

  /** @param dueAt Unix milliseconds; infinity takes the deadline away. */
  set(tx: Tx, kind: DeadlineKind, ref: string, dueAt: number): void {
    if (!Number.isFinite(dueAt)) {
      tx.sql.exec("DELETE FROM deadlines WHERE ref = ? AND kind = ?", ref, kind);
      return;
    }
    const earliest = this.#earliest.get() ?? dueAt;
    tx.sql.exec(SET_DUE, ref, kind, dueAt);
    this.#earliest.set(tx, Math.min(earliest, dueAt));
  }

  clear(tx: Tx, ref: string): void {
    tx.sql.exec("DELETE FROM deadlines WHERE ref = ?", ref);
  }

  /**
   * Sees to all that are due, the earliest first, at most so many. One that throws is put off by a second, and each time
   * in a row by twice as long, up to an hour; it stops no other.
   * @param pass sees to one, in a transaction of its own, in which it has been taken out.
   */
  look(nowMs: number, pass: (tx: Tx, deadline: Deadline) => void): void {
    for (const deadline of this.#sql.exec<Deadline & Row>(DUE, nowMs, DUE_AT_ONCE).toArray()) {
      const key = `${deadline.ref} ${deadline.kind}`;
      try {
        this.#work.change((tx) => {
          if (this.#take(tx, deadline)) pass(tx, deadline);
        });
        this.#failures.delete(key);
      } catch (error) {
        const failures = (this.#failures.get(key) ?? 0) + 1;
        this.#failures.set(key, failures);
        const { kind, ref } = deadline;
        logTrouble("deadline_failed", { run_id: ref, deadline: kind, failures }, error);
        this.#putOff(deadline, nowMs + backoffMs(failures));
      }
    }
    this.#earliest.forget();
  }

  /** When to look again: at the earliest deadline or before it; null when there is no deadline. */
  earliest(): number | null {
    return this.#earliest.get();
  }

  /** Takes a deadline out, so that it is handled once. @returns false when it has been moved or taken away meanwhile. */
  #take(tx: Tx, { ref, kind, due_at }: Deadline): boolean {
    return tx.sql.exec(TAKE, ref, kind, due_at).toArray().length > 0;
  }

  #putOff({ ref, kind, due_at }: Deadline, untilMs: number): void {
    this.#work.change((tx) => void tx.sql.exec(PUT_OFF, untilMs, ref, kind, due_at));
  }
}

const SET_DUE = `INSERT INTO deadlines (ref, kind, due_at) VALUES (?, ?, ?)
  ON CONFLICT (ref, kind) DO UPDATE SET due_at = excluded.due_at`;
const EARLIEST = "SELECT MIN(due_at) AS at FROM deadlines";
const DUE = "SELECT kind, ref, due_at FROM deadlines WHERE due_at <= ? ORDER BY due_at LIMIT ?";
const TAKE = "DELETE FROM deadlines WHERE ref = ? AND kind = ? AND due_at = ? RETURNING ref";
const PUT_OFF = "UPDATE deadlines SET due_at = ? WHERE ref = ? AND kind = ? AND due_at = ?";
