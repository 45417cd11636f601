/** Calls that the object owes to others, kept until they have gone through, with a wait that grows. */
import type { outbox } from "../schema.ts";
import type { RememberedEach, Tx, Work } from "../work.ts";

type OutboxRow = typeof outbox.$inferSelect;
export type OwedKind = OutboxRow["kind"];
/** To whom calls are owed: the pool; D1, of the routine's own entry and of its runs; other routines; the roster. */
export const RECEIVERS = ["pool", "entry", "runs", "routines", "roster"] as const;
export type Receiver = (typeof RECEIVERS)[number];

const RECEIVER_OF: Record<OwedKind, Receiver> = {
  ask_pool: "pool",
  release_lease: "pool",
  project_routine: "entry",
  forget_routine: "entry",
  project_run: "runs",
  announce_run: "routines",
  enter_roster: "roster",
  leave_roster: "roster",
};

/** A call that is owed. */
export interface Owed {
  kind: OwedKind;
  ref: string;
  /** How often it has been tried in vain. */
  tries: number;
  /** Tells a call that is owed anew from the one that is under way. */
  stamp: number;
}

/** The alarm repeats a call that was cut off by an eviction after this long. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

export class Outbox {
  readonly #sql: SqlStorage;
  /** Receivers to whom something is owed that nobody has set out to tell them. */
  readonly #fresh = new Set<Receiver>();
  /** By receiver: not later than when the earliest call is due. One that is not there is not known. */
  readonly #earliest: RememberedEach<{ at: number | null }>;

  constructor(sql: SqlStorage, work: Work) {
    this.#sql = sql;
    this.#earliest = work.rememberEach((receiver) => this.#readEarliest(receiver as Receiver), RECEIVERS.length);
  }

  /** Owes a call. Owing it again while it is under way makes it go out once more. */
  owe(tx: Tx, kind: OwedKind, ref: string): void {
    const dueAt = tx.nowMs + FIRST_RETRY_MS;
    const receiver = RECEIVER_OF[kind];
    const at = this.#earliest.get(receiver)?.at ?? dueAt;
    tx.sql.exec(OWE, kind, ref, dueAt);
    this.#fresh.add(receiver);
    this.#earliest.set(tx, receiver, { at: Math.min(at, dueAt) });
  }

  /** Owes the lists all runs that there are. @returns how many. */
  oweRuns(tx: Tx): number {
    const dueAt = tx.nowMs + FIRST_RETRY_MS;
    const at = this.#earliest.get("runs")?.at ?? dueAt;
    tx.sql.exec(OWE_RUNS, dueAt);
    this.#fresh.add("runs");
    this.#earliest.set(tx, "runs", { at: Math.min(at, dueAt) });
    return Number(tx.sql.exec("SELECT COUNT(*) AS count FROM runs").one()["count"]);
  }

  /** Whether something has become owed to a receiver since the last call. */
  takeFresh(receiver: Receiver): boolean {
    return this.#fresh.delete(receiver);
  }

  /** Whether a call has not gone through yet. */
  has(kind: OwedKind, ref: string): boolean {
    return this.#sql.exec("SELECT 1 FROM outbox WHERE kind = ? AND ref = ?", kind, ref).toArray().length > 0;
  }

  isEmpty(): boolean {
    return this.#sql.exec("SELECT 1 FROM outbox LIMIT 1").toArray().length === 0;
  }

  /** What is new, or due again: oldest debt first, at most so many. */
  due(receiver: Receiver, nowMs: number, limit: number): Owed[] {
    return this.#sql.exec<Owed & Record<string, SqlStorageValue>>(DUE[receiver], nowMs, limit).toArray();
  }

  /** Strikes off calls that went through, but for those that have been owed anew meanwhile. */
  settle(tx: Tx, owed: readonly Owed[]): void {
    if (owed.length === 0) return;
    tx.sql.exec(SETTLE, named(owed));
    this.#lookAgain(owed);
  }

  postpone(tx: Tx, owed: readonly Owed[]): void {
    if (owed.length === 0) return;
    tx.sql.exec(POSTPONE, tx.nowMs, named(owed));
    this.#lookAgain(owed);
  }

  /** A moment at which nothing has been overlooked, if the object looks again; null when nothing is owed. */
  earliest(receiver: Receiver): number | null {
    return this.#earliest.get(receiver)?.at ?? null;
  }

  #readEarliest(receiver: Receiver): { at: number | null } {
    return this.#sql.exec<{ at: number | null }>(EARLIEST[receiver]).one();
  }

  #lookAgain(owed: readonly Owed[]): void {
    for (const { kind } of owed) this.#earliest.forget(RECEIVER_OF[kind]);
  }
}

const OWE = `INSERT INTO outbox (kind, ref, due_at, stamp) VALUES (?, ?, ?, 1)
  ON CONFLICT (kind, ref) DO UPDATE SET due_at = excluded.due_at, stamp = stamp + 1, tries = 0`;

const OWE_RUNS = `INSERT INTO outbox (kind, ref, due_at, stamp) SELECT 'project_run', id, ?, 1 FROM runs WHERE true
  ON CONFLICT (kind, ref) DO UPDATE SET due_at = excluded.due_at, stamp = stamp + 1, tries = 0`;

/** A statement for each receiver. @param textOf makes it of the receiver's kinds. */
function forEachReceiver(textOf: (kinds: string) => string): Record<Receiver, string> {
  const kindsOf = (receiver: Receiver) =>
    Object.entries(RECEIVER_OF)
      .flatMap(([kind, its]) => (its === receiver ? [`'${kind}'`] : []))
      .join(", ");
  return {
    pool: textOf(kindsOf("pool")),
    entry: textOf(kindsOf("entry")),
    runs: textOf(kindsOf("runs")),
    routines: textOf(kindsOf("routines")),
    roster: textOf(kindsOf("roster")),
  };
}

/** A lease is asked for before it is released. */
const DUE = forEachReceiver(
  (kinds) => `SELECT kind, ref, tries, stamp FROM outbox
  WHERE kind IN (${kinds}) AND (tries = 0 OR due_at <= ?) ORDER BY due_at, kind, ref LIMIT ?`,
);
const EARLIEST = forEachReceiver((kinds) => `SELECT MIN(due_at) AS at FROM outbox WHERE kind IN (${kinds})`);

/** Rows by what they are and how they were when they were read, as one text. */
const IS_NAMED = `(kind, ref, stamp) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))`;
const SETTLE = `DELETE FROM outbox WHERE ${IS_NAMED}`;
const POSTPONE = `UPDATE outbox SET tries = tries + 1,
  due_at = ? + MIN(${LONGEST_RETRY_MS}, ${FIRST_RETRY_MS} * (1 << MIN(tries, 16))) WHERE ${IS_NAMED}`;

function named(owed: readonly Owed[]): string {
  return JSON.stringify(owed.map(({ kind, ref, stamp }) => [kind, ref, stamp]));
}
