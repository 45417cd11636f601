/** The leases of a pool: who waits, who works, and what the routines' objects still have to be told. */
import { and, count, eq, inArray, min } from "drizzle-orm";
import type { RunnerKind } from "#protocol/run.ts";
import { RUNNER_FEATURES, type RunnerFeature } from "#protocol/runner-features.ts";
import { type LeaseRef, OFFER_DEADLINE_MS } from "#protocol/runner-link.ts";
import { setsOf } from "#rules/pool/features-needed.ts";
import type { LeaseEnd } from "#rules/run/inputs.ts";
import { type PoolDatabase, poolDatabase } from "./database.ts";
import { type Held, KILL_DEADLINE_MS } from "./hosts/lease-host.ts";
import { leases } from "./schema.ts";

export type LeaseRow = typeof leases.$inferSelect;
type Row = LeaseRow & Record<string, SqlStorageValue>;

/** Work that was told to stop and has not ended within this time is killed. */
const STOP_DEADLINE_MS = 20_000;
/** What leases may need, as their rows have it. */
const NEEDS = setsOf(RUNNER_FEATURES).map((set) => set.join(" "));
const REPORT_RETRY_MS = 1_000;
const LONGEST_REPORT_RETRY_MS = 60_000;
/** All columns, by the names that a row has here. */
const COLUMNS = `run_id AS runId, generation, routine_id AS routineId, status, host, runner_id AS place, "end",
  asked_at AS askedAt, due_at AS dueAt, tries, needs`;
/** What happens for every run that is asked for is kept as text: to build it takes many times as long as to run it. */
const ASK = `INSERT INTO leases (run_id, generation, routine_id, status, asked_at, needs) VALUES (?, ?, ?, 'waiting', ?, ?)
  ON CONFLICT DO NOTHING`;
const GET = `SELECT ${COLUMNS} FROM leases WHERE run_id = ? AND generation = ?`;
const FIRST_WAITING = `SELECT ${COLUMNS} FROM leases WHERE status = 'waiting' AND needs = ? ORDER BY asked_at, rowid LIMIT 1`;
const ANY_WAITING = "SELECT 1 FROM leases WHERE status = 'waiting' LIMIT 1";
/** All statuses but `waiting`, by name, so that the index finds these leases among any number of waiting ones. */
const TAKEN: LeaseRow["status"][] = ["offered", "accepted", "stopping", "ended"];

/**
 * All leases but those that wait are kept in memory as they were last written, so that an offer reads no more with many
 * runners than with few.
 */
export class Leases {
  readonly #database: PoolDatabase;
  readonly #sql: SqlStorage;
  /** null until they have been read. */
  #taken: Map<string, LeaseRow> | null = null;
  /** How many leases each place has, by its host. */
  readonly #held = new Map<RunnerKind, Map<string, number>>();
  /** When the earliest lease is due, or before; undefined when that has to be looked for. */
  #earliest: number | null | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#database = poolDatabase(storage);
    this.#sql = storage.sql;
  }

  /** Puts a request at the end of the queue. Asking twice changes nothing. @param needs options of the link. */
  ask(lease: LeaseRef, routineId: string, needs: readonly RunnerFeature[], nowMs: number): void {
    this.#sql.exec(ASK, lease.run_id, lease.generation, routineId, nowMs, needs.join(" "));
  }

  get(lease: LeaseRef): LeaseRow | null {
    const taken = this.#all().get(keyOf(lease));
    return taken ?? this.#sql.exec<Row>(GET, lease.run_id, lease.generation).toArray()[0] ?? null;
  }

  /**
   * Of the leases that need the same of a runner, the one that has waited longest; of those that were asked for together, the
   * first row. The one that has waited longest of all comes first. @param isMeant which needs to look for; each without it.
   */
  nextWaiting(isMeant: (needs: string) => boolean = () => true): LeaseRow[] {
    if (this.#sql.exec(ANY_WAITING).toArray().length === 0) return [];
    const first = (needs: string) => this.#sql.exec<Row>(FIRST_WAITING, needs).toArray();
    return NEEDS.filter(isMeant)
      .flatMap(first)
      .sort((one, other) => one.askedAt - other.askedAt);
  }

  /** How many leases wait, and since when the first does, in Unix milliseconds. */
  waiting(): { count: number; sinceMs: number | null } {
    const row = this.#database
      .select({ count: count(), sinceMs: min(leases.askedAt) })
      .from(leases)
      .where(eq(leases.status, "waiting"))
      .get();
    return row ?? { count: 0, sinceMs: null };
  }

  offer(row: LeaseRow, host: RunnerKind, place: string, nowMs: number): void {
    this.#set(row, { status: "offered", host, place, dueAt: nowMs + OFFER_DEADLINE_MS });
  }

  /** Nobody has begun work on the lease: it waits again, in its old place in the queue. @param tries how often nobody answered. */
  giveBack(row: LeaseRow, tries = 0): void {
    this.#set(row, { status: "waiting", place: null, dueAt: null, tries });
  }

  accept(row: LeaseRow): void {
    this.#set(row, { status: "accepted", dueAt: null, tries: 0 });
  }

  stop(row: LeaseRow, nowMs: number): void {
    this.#set(row, { status: "stopping", dueAt: nowMs + STOP_DEADLINE_MS, tries: 0 });
  }

  /** The host has been told to end the lease's work by force. */
  kill(row: LeaseRow, nowMs: number): void {
    this.#set(row, { dueAt: nowMs + KILL_DEADLINE_MS, tries: 1 });
  }

  /** The work can't go on any more: the lease stays until the routine's object has been told. */
  end(row: LeaseRow, end: LeaseEnd, nowMs: number): void {
    this.#set(row, { status: "ended", end, place: null, dueAt: nowMs, tries: 0 });
  }

  /**
   * Notes that a call is telling the routine's object of this end, so that no second one is made before `untilMs`. It is kept
   * in memory alone: after an eviction no call is under way. @returns the row.
   */
  claimReport(row: LeaseRow, untilMs: number): LeaseRow {
    const claimed = { ...row, dueAt: untilMs };
    this.#forget(row);
    this.#keep(claimed);
    return claimed;
  }

  postponeReport(row: LeaseRow, nowMs: number): void {
    const waitMs = Math.min(LONGEST_REPORT_RETRY_MS, REPORT_RETRY_MS * 2 ** row.tries);
    this.#set(row, { tries: row.tries + 1, dueAt: nowMs + waitMs });
  }

  remove(lease: LeaseRef): void {
    this.#database.delete(leases).where(is(lease)).run();
    const row = this.#all().get(keyOf(lease));
    if (row !== undefined) this.#forget(row);
  }

  heldAt(host: RunnerKind, place: string): LeaseRow[] {
    return [...this.#all().values()].filter((row) => row.host === host && row.place === place);
  }

  /** How many leases each place of a host has, now and later. */
  held(host: RunnerKind): Held {
    this.#all();
    return this.#heldBy(host);
  }

  /** What is due, in the order of what has been tried least. */
  due(nowMs: number): LeaseRow[] {
    this.#earliest = undefined;
    return [...this.#all().values()]
      .filter(({ dueAt }) => dueAt !== null && dueAt <= nowMs)
      .sort((left, right) => left.tries - right.tries || (left.dueAt ?? 0) - (right.dueAt ?? 0));
  }

  /** When to ask `due` next: at the latest when the first lease is due, in Unix milliseconds; null when none ever is. */
  nextDue(): number | null {
    if (this.#earliest === undefined) {
      const moments = [...this.#all().values()].flatMap(({ dueAt }) => (dueAt === null ? [] : [dueAt]));
      this.#earliest = moments.length === 0 ? null : Math.min(...moments);
    }
    return this.#earliest;
  }

  #all(): Map<string, LeaseRow> {
    if (this.#taken === null) {
      this.#taken = new Map();
      for (const row of this.#database.select().from(leases).where(inArray(leases.status, TAKEN)).all()) {
        // A call that told of this end before the object was evicted is gone: the lease is due at once.
        this.#keep(row.status === "ended" ? { ...row, dueAt: row.askedAt } : row);
      }
    }
    return this.#taken;
  }

  #set(row: LeaseRow, change: Partial<LeaseRow>): LeaseRow {
    this.#database
      .update(leases)
      .set(change)
      .where(is(refOf(row)))
      .run();
    const changed = { ...row, ...change };
    this.#forget(row);
    this.#keep(changed);
    return changed;
  }

  #keep(row: LeaseRow): void {
    if (row.status === "waiting") return;
    const key = keyOf(refOf(row));
    this.#all().set(key, row);
    if (row.dueAt !== null && this.#earliest !== undefined) {
      this.#earliest = Math.min(this.#earliest ?? row.dueAt, row.dueAt);
    }
    this.#count(row, 1);
  }

  #forget(row: LeaseRow): void {
    const key = keyOf(refOf(row));
    const known = this.#all().get(key);
    if (known === undefined) return;
    this.#all().delete(key);
    this.#count(known, -1);
  }

  #count({ host, place }: LeaseRow, change: number): void {
    if (place === null) return;
    const held = this.#heldBy(host);
    const count = (held.get(place) ?? 0) + change;
    if (count === 0) held.delete(place);
    else held.set(place, count);
  }

  #heldBy(host: RunnerKind): Map<string, number> {
    const known = this.#held.get(host);
    if (known !== undefined) return known;
    const held = new Map<string, number>();
    this.#held.set(host, held);
    return held;
  }
}

export function refOf(row: LeaseRow): LeaseRef {
  return { run_id: row.runId, generation: row.generation };
}

/** The options of the link that a lease needs. */
export function needsOf({ needs }: Pick<LeaseRow, "needs">): string[] {
  return needs.split(" ").filter(Boolean);
}

function keyOf(lease: LeaseRef): string {
  return `${lease.run_id}/${lease.generation}`;
}

function is(lease: LeaseRef) {
  return and(eq(leases.runId, lease.run_id), eq(leases.generation, lease.generation));
}
