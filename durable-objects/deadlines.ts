/** Many deadlines as rows; the object arms its one alarm for the earliest. */
import { and, asc, eq, lte } from "drizzle-orm";
import type { Database } from "./routine-database.ts";
import { deadlines } from "./routine-schema.ts";

export interface Deadline {
  kind: string;
  ref: string;
  dueAt: number;
}

export class Deadlines {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @param dueAt Unix milliseconds; infinity takes the deadline away. */
  set(kind: string, ref: string, dueAt: number): void {
    if (!Number.isFinite(dueAt)) {
      this.#database
        .delete(deadlines)
        .where(and(eq(deadlines.kind, kind), eq(deadlines.ref, ref)))
        .run();
      return;
    }
    this.#database
      .insert(deadlines)
      .values({ kind, ref, dueAt })
      .onConflictDoUpdate({ target: [deadlines.kind, deadlines.ref], set: { dueAt } })
      .run();
  }

  clear(ref: string): void {
    this.#database.delete(deadlines).where(eq(deadlines.ref, ref)).run();
  }

  /** Takes out what is due: each is seen once. */
  takeDue(nowMs: number): Deadline[] {
    const due = this.#database
      .select()
      .from(deadlines)
      .where(lte(deadlines.dueAt, nowMs))
      .orderBy(asc(deadlines.dueAt))
      .all();
    for (const { kind, ref } of due) this.set(kind, ref, Number.POSITIVE_INFINITY);
    return due;
  }

  earliest(): number | null {
    return this.#database.select().from(deadlines).orderBy(asc(deadlines.dueAt)).limit(1).get()?.dueAt ?? null;
  }
}
