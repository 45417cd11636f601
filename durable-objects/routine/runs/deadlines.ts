/** Many deadlines as rows; the object arms its one alarm for the earliest. */
import { errorText, logLine } from "#protocol/log.ts";
import { backoffMs } from "#rules/backoff.ts";
import type { DeadlineKind } from "#rules/run/inputs.ts";

export interface Deadline {
  kind: DeadlineKind;
  ref: string;
  /** Unix milliseconds. */
  due_at: number;
}

type Row = Record<string, SqlStorageValue>;

/** So many are seen to at one ring of the alarm; the rest a moment later. */
const DUE_AT_ONCE = 500;

export class Deadlines {
  readonly #sql: SqlStorage;
  /** Not later than the earliest deadline; undefined when it is not known. */
  #earliest: number | null | undefined;
  /** How often in a row a deadline could not be seen to. */
  readonly #failures = new Map<string, number>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** @param dueAt Unix milliseconds; infinity takes the deadline away. */
  set(kind: DeadlineKind, ref: string, dueAt: number): void {
    if (!Number.isFinite(dueAt)) {
      this.#sql.exec("DELETE FROM deadlines WHERE ref = ? AND kind = ?", ref, kind);
      return;
    }
    this.#sql.exec(SET, ref, kind, dueAt);
    if (this.#earliest !== undefined) this.#earliest = Math.min(this.#earliest ?? dueAt, dueAt);
  }

  clear(ref: string): void {
    this.#sql.exec("DELETE FROM deadlines WHERE ref = ?", ref);
  }

  /**
   * Sees to all that are due, the earliest first, at most so many. One that throws is put off by a second, and each time
   * in a row by twice as long, up to an hour; it stops no other.
   * @param pass sees to one, in a transaction of its own, in which it calls `take` before all else.
   */
  look(nowMs: number, pass: (deadline: Deadline) => void): void {
    for (const deadline of this.#sql.exec<Deadline & Row>(DUE, nowMs, DUE_AT_ONCE).toArray()) {
      const key = `${deadline.ref} ${deadline.kind}`;
      try {
        pass(deadline);
        this.#failures.delete(key);
      } catch (error) {
        const failures = (this.#failures.get(key) ?? 0) + 1;
        this.#failures.set(key, failures);
        const { kind, ref, due_at } = deadline;
        logLine("error", { what: "deadline", run_id: ref, kind, failures, outcome: errorText(error) });
        this.#sql.exec(PUT_OFF, nowMs + backoffMs(failures), ref, kind, due_at);
      }
    }
    this.#earliest = undefined;
  }

  /** Takes a deadline out: it is seen to once. @returns false when it has been moved or taken away meanwhile. */
  take({ ref, kind, due_at }: Deadline): boolean {
    return this.#sql.exec(TAKE, ref, kind, due_at).toArray().length > 0;
  }

  /** A moment at which nothing has been overlooked, if the object looks again; null when there is no deadline. */
  earliest(): number | null {
    if (this.#earliest === undefined) {
      this.#earliest = this.#sql.exec<{ at: number | null }>("SELECT MIN(due_at) AS at FROM deadlines").one().at;
    }
    return this.#earliest;
  }

  /** What was kept may be wrong: `earliest` has to look. */
  forget(): void {
    this.#earliest = undefined;
  }
}

const SET = `INSERT INTO deadlines (ref, kind, due_at) VALUES (?, ?, ?)
  ON CONFLICT (ref, kind) DO UPDATE SET due_at = excluded.due_at`;
const DUE = "SELECT kind, ref, due_at FROM deadlines WHERE due_at <= ? ORDER BY due_at LIMIT ?";
const TAKE = "DELETE FROM deadlines WHERE ref = ? AND kind = ? AND due_at = ? RETURNING ref";
const PUT_OFF = "UPDATE deadlines SET due_at = ? WHERE ref = ? AND kind = ? AND due_at = ?";
