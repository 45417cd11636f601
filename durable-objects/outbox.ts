/** Calls that the object owes to others, kept until they have gone through, with a wait that grows. */
import { and, asc, eq } from "drizzle-orm";
import type { Database } from "./routine-database.ts";
import { outbox } from "./routine-schema.ts";

export type Owed = typeof outbox.$inferSelect;
export type OwedKind = Owed["kind"];

/** The alarm repeats a call that was cut off by an eviction after this long. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

export class Outbox {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Owes a call. Owing it again while it is under way makes it go out once more. */
  owe(kind: OwedKind, ref: string, nowMs: number): void {
    const dueAt = nowMs + FIRST_RETRY_MS;
    const before = this.#find(kind, ref);
    const stamp = (before?.stamp ?? 0) + 1;
    this.#database
      .insert(outbox)
      .values({ kind, ref, dueAt, stamp })
      .onConflictDoUpdate({ target: [outbox.kind, outbox.ref], set: { dueAt, stamp, tries: 0 } })
      .run();
  }

  /** Everything that is owed, oldest debt first. */
  all(): Owed[] {
    return this.#database.select().from(outbox).orderBy(asc(outbox.dueAt)).all();
  }

  /** Strikes off a call that went through, unless it has been owed anew meanwhile. */
  settle(owed: Owed): void {
    this.#database
      .delete(outbox)
      .where(and(eq(outbox.kind, owed.kind), eq(outbox.ref, owed.ref), eq(outbox.stamp, owed.stamp)))
      .run();
  }

  postpone(owed: Owed, nowMs: number): void {
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** owed.tries);
    this.#database
      .update(outbox)
      .set({ tries: owed.tries + 1, dueAt: nowMs + waitMs })
      .where(and(eq(outbox.kind, owed.kind), eq(outbox.ref, owed.ref), eq(outbox.stamp, owed.stamp)))
      .run();
  }

  earliest(): number | null {
    return this.#database.select().from(outbox).orderBy(asc(outbox.dueAt)).limit(1).get()?.dueAt ?? null;
  }

  #find(kind: OwedKind, ref: string): Owed | undefined {
    return this.#database
      .select()
      .from(outbox)
      .where(and(eq(outbox.kind, kind), eq(outbox.ref, ref)))
      .get();
  }
}
