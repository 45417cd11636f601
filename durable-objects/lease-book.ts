/** The leases of a pool: who waits, who works, and what the routines' objects still have to be told. */
import { and, asc, eq, inArray, isNotNull, lte } from "drizzle-orm";
import { type LeaseRef, OFFER_DEADLINE_MS } from "#protocol/runner-link.ts";
import type { PoolDatabase } from "./pool-database.ts";
import { leases } from "./pool-schema.ts";
import type { LeaseEnd } from "./run-happenings.ts";

export type LeaseRow = typeof leases.$inferSelect;

/** A runner that was told to stop says that it has within this time, or counts as lost. */
const STOP_DEADLINE_MS = 20_000;
const REPORT_RETRY_MS = 1_000;
const LONGEST_REPORT_RETRY_MS = 60_000;

export class LeaseBook {
  readonly #database: PoolDatabase;

  constructor(database: PoolDatabase) {
    this.#database = database;
  }

  /** Puts a request at the end of the queue. Asking twice changes nothing. */
  ask(lease: LeaseRef, routineId: string, nowMs: number): void {
    this.#database
      .insert(leases)
      .values({
        runId: lease.run_id,
        generation: lease.generation,
        routineId,
        status: "waiting",
        askedAt: nowMs,
      })
      .onConflictDoNothing()
      .run();
  }

  get(lease: LeaseRef): LeaseRow | null {
    return this.#database.select().from(leases).where(is(lease)).get() ?? null;
  }

  nextWaiting(): LeaseRow | null {
    const row = this.#database
      .select()
      .from(leases)
      .where(eq(leases.status, "waiting"))
      .orderBy(asc(leases.askedAt), asc(leases.runId))
      .limit(1)
      .get();
    return row ?? null;
  }

  offer(lease: LeaseRef, runnerId: string, nowMs: number): void {
    this.#set(lease, { status: "offered", runnerId, dueAt: nowMs + OFFER_DEADLINE_MS });
  }

  accept(lease: LeaseRef): void {
    this.#set(lease, { status: "accepted", dueAt: null });
  }

  stop(lease: LeaseRef, nowMs: number): void {
    this.#set(lease, { status: "stopping", dueAt: nowMs + STOP_DEADLINE_MS });
  }

  /** The work can't go on any more: what is left is to tell the routine's object. */
  end(lease: LeaseRef, end: LeaseEnd, nowMs: number): void {
    this.#set(lease, { status: "ended", end, runnerId: null, dueAt: nowMs });
  }

  postponeReport(row: LeaseRow, nowMs: number): void {
    const waitMs = Math.min(LONGEST_REPORT_RETRY_MS, REPORT_RETRY_MS * 2 ** row.tries);
    this.#set(refOf(row), { tries: row.tries + 1, dueAt: nowMs + waitMs });
  }

  remove(lease: LeaseRef): void {
    this.#database.delete(leases).where(is(lease)).run();
  }

  heldBy(runnerId: string): LeaseRow[] {
    return this.#database.select().from(leases).where(eq(leases.runnerId, runnerId)).all();
  }

  /** How many leases each runner has. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { runnerId } of this.#held()) {
      if (runnerId !== null) counts.set(runnerId, (counts.get(runnerId) ?? 0) + 1);
    }
    return counts;
  }

  isAnyHeld(): boolean {
    return this.#held().length > 0;
  }

  due(nowMs: number): LeaseRow[] {
    return this.#database.select().from(leases).where(lte(leases.dueAt, nowMs)).orderBy(asc(leases.dueAt)).all();
  }

  nextDue(): number | null {
    const row = this.#database
      .select()
      .from(leases)
      .where(isNotNull(leases.dueAt))
      .orderBy(asc(leases.dueAt))
      .limit(1)
      .get();
    return row?.dueAt ?? null;
  }

  #held(): LeaseRow[] {
    return this.#database
      .select()
      .from(leases)
      .where(inArray(leases.status, ["offered", "accepted", "stopping"]))
      .all();
  }

  #set(lease: LeaseRef, change: Partial<LeaseRow>): void {
    this.#database.update(leases).set(change).where(is(lease)).run();
  }
}

export function refOf(row: LeaseRow): LeaseRef {
  return { run_id: row.runId, generation: row.generation };
}

function is(lease: LeaseRef) {
  return and(eq(leases.runId, lease.run_id), eq(leases.generation, lease.generation));
}
