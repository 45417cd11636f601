/** Many deadlines as rows; the object arms its one alarm for the earliest. */
import type { DeadlineKind } from "./run-happenings.ts";

export interface Deadline {
  kind: DeadlineKind;
  ref: string;
}

export class Deadlines {
  readonly #sql: SqlStorage;
  /** Not later than the earliest deadline; undefined when it is not known. */
  #earliest: number | null | undefined;

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

  /** Takes out what is due, earliest first: each is seen once. */
  takeDue(nowMs: number): Deadline[] {
    this.#earliest = undefined;
    const due = this.#sql
      .exec<{ kind: DeadlineKind; ref: string }>(
        "SELECT kind, ref FROM deadlines WHERE due_at <= ? ORDER BY due_at",
        nowMs,
      )
      .toArray();
    if (due.length > 0) this.#sql.exec("DELETE FROM deadlines WHERE due_at <= ?", nowMs);
    return due;
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
