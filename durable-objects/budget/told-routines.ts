/** Which routines there are that have asked for the shared budgets, and which version of them each has. */
import { and, asc, eq, gt, lte, min, notExists, sql } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import { backoffMs } from "#rules/backoff.ts";
import type { Tags } from "#rules/run/shared-budgets.ts";
import { reservations, routines, totals, versions } from "./schema.ts";

/** A routine's object that does not answer for so many tries, which take two days, is told when it asks. */
const TRIES_AT_MOST = 60;

export type BudgetDatabase = DrizzleSqliteDODatabase<Record<string, never>>;
export type Untold = Pick<typeof routines.$inferSelect, "id" | "tries">;

export class ToldRoutines {
  readonly #database: BudgetDatabase;

  constructor(database: BudgetDatabase) {
    this.#database = database;
  }

  version(): number {
    return this.#database.select().from(versions).get()?.version ?? 0;
  }

  /** There is another version: all have to be told. */
  tellAll(nowMs: number): void {
    this.#database
      .insert(versions)
      .values({ id: 1, version: 1 })
      .onConflictDoUpdate({ target: versions.id, set: { version: sql`${versions.version} + 1` } })
      .run();
    this.#database.update(routines).set({ dueAt: nowMs, tries: 0 }).run();
  }

  /** A routine has told of itself. @param knows the version that it has; null for none. @returns its tags, as its newest revision has them. */
  heard(id: string, tags: Record<string, string>, revision: number, knows: number | null): Tags {
    const before = this.#database.select().from(routines).where(eq(routines.id, id)).get();
    if (before === undefined) {
      this.#database.insert(routines).values({ id, tags, revision, told: -1 }).run();
    } else if (revision > before.revision) {
      this.#database.update(routines).set({ tags, revision }).where(eq(routines.id, id)).run();
    }
    if (knows !== null) this.has(id, knows);
    return before === undefined || revision > before.revision ? tags : before.tags;
  }

  /** It has a version, or has been answered with it, which it asks for again where the answer is lost. */
  has(id: string, version: number): void {
    const isPresent = version === this.version();
    this.#database
      .update(routines)
      .set({ told: sql`MAX(${routines.told}, ${version})`, ...(isPresent ? { dueAt: null, tries: 0 } : {}) })
      .where(eq(routines.id, id))
      .run();
  }

  /**
   * It is deleted, or lives no more. What it has spent still counts; where there is nothing of that any more, it is forgotten, so
   * that not every routine that there ever was is told of each change. @param tags that are kept; all where none are given.
   */
  isGone(id: string, tags?: Tags): void {
    const isIt = eq(routines.id, id);
    const spent = this.#database
      .select()
      .from(totals)
      .where(and(eq(totals.routineId, id), gt(totals.usd, 0)));
    const held = this.#database.select().from(reservations).where(eq(reservations.routineId, id));
    this.#database
      .delete(routines)
      .where(and(isIt, notExists(spent), notExists(held)))
      .run();
    this.#database
      .update(routines)
      .set({ dueAt: null, ...(tags === undefined ? {} : { tags: { ...tags } }) })
      .where(isIt)
      .run();
  }

  untold(nowMs: number, limit: number): Untold[] {
    return this.#database
      .select({ id: routines.id, tries: routines.tries })
      .from(routines)
      .where(lte(routines.dueAt, nowMs))
      .orderBy(asc(routines.dueAt), asc(routines.id))
      .limit(limit)
      .all();
  }

  /** It could not be told. */
  failed({ id, tries: before }: Untold, nowMs: number): void {
    const tries = before + 1;
    const dueAt = tries >= TRIES_AT_MOST ? null : nowMs + backoffMs(tries);
    this.#database.update(routines).set({ dueAt, tries }).where(eq(routines.id, id)).run();
  }

  /** When the next one is to be told, in Unix milliseconds; null when none is. */
  next(): number | null {
    return (
      this.#database
        .select({ at: min(routines.dueAt) })
        .from(routines)
        .get()?.at ?? null
    );
  }
}
