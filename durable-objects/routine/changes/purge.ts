/** What is left of a deleted routine once its last run has stopped: a row that says so. */
import { is, sql } from "drizzle-orm";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { ROUTINE_DEFAULTS, type RoutineDefinition } from "#protocol/routine.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { pastUnreadable } from "../retention/slice.ts";
import type { AttemptEnvironments } from "../runs/attempt-environments.ts";
import { leaseText, type RunEngine } from "../runs/run-engine.ts";
import type { RunSockets } from "../runs/run-sockets.ts";
import type { RunStore } from "../runs/run-store.ts";
import * as schema from "../schema.ts";
import type { Tx, Work } from "../work.ts";

/** All tables but the routine's own: a new one is among them by itself. */
export const PURGED = Object.values(schema).filter(
  (table): table is typeof table & SQLiteTable => is(table, SQLiteTable) && table !== schema.routine,
);

/** Their rows name what lies in R2. */
const IN_BUCKETS = [schema.conversationParts, schema.conversations, schema.artifacts, schema.transcript] as const;
/** All of it is removed there once none of these rows is left: some of it, no row may ever have named. */
const TIDIED = ["tidy_conversation", "tidy_artifacts", "tidy_transcript"] as const;

/** Rows that go in one transaction, of all tables together. */
const ROWS_AT_ONCE = 1_000;
/** Of tables whose rows may be 260 KB long: SQLite reads all of a row that it looks for by its key, and each costs a millisecond. */
const LONG_ROWS_AT_ONCE = 200;
/** Waiting runs that are canceled in one transaction: each is written several times. */
const CANCELED_AT_ONCE = 50;

interface Parts {
  work: Work;
  definitions: DefinitionStore;
  runs: RunStore;
  engine: RunEngine;
  outbox: Outbox;
  environments: AttemptEnvironments;
  sockets: RunSockets;
}

type CancelParts = Omit<Parts, "definitions">;

/**
 * A deleted routine goes in small steps, one at each ring of the alarm: an object, and those beside it, do other things meanwhile.
 * How far it has come is what is left, so that an eviction costs nothing.
 */
export class Purge {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** When it goes on, in Unix milliseconds; null for a routine that is not deleted, that is gone, and while a run or a call is on. */
  next(): number | null {
    const { definitions, runs, outbox } = this.#parts;
    const routine = definitions.row();
    if (routine?.status !== "deleted" || isBlank(routine.definition)) return null;
    if (runs.queue.places().queued > 0) return 0;
    return runs.queue.hasUnsettled() || !outbox.isEmpty() ? null : 0;
  }

  /** Takes one step, where one is to be taken. In the end the tombstone is left, and nothing else. */
  look(): void {
    const { work, definitions, runs } = this.#parts;
    const routine = definitions.row();
    if (routine === null || this.next() === null) return;
    work.change((tx) => {
      if (runs.queue.places().queued > 0) cancelWaiting(tx, this.#parts);
      else this.#empty(tx, routine.id);
    });
  }

  #empty(tx: Tx, routineId: string): void {
    const { work, outbox } = this.#parts;
    const rows = new RowsLeft(ROWS_AT_ONCE);
    const gone = IN_BUCKETS.reduce((sum, table) => sum + rows.empty(tx, table, LONG_ROWS_AT_ONCE), 0);
    const isLeft = IN_BUCKETS.some((table) => hasRows(tx, table));
    if (gone === 0 && !isLeft) emptyTables(tx, rows);
    else if (!isLeft) for (const owed of TIDIED) outbox.owe(tx, owed, routineId);
    work.forgetAll(tx);
  }
}

/** Cancels some of the runs that wait for a place. A routine that is deleted starts none of them meanwhile. */
export function cancelWaiting(tx: Tx, parts: CancelParts): void {
  for (const runId of parts.runs.queue.queued(CANCELED_AT_ONCE)) cancelDeleted(tx, parts, runId);
}

/**
 * Cancels a run of a deleted routine. One that can't be read would hold up the deletion for good: it goes at once, and is told of.
 */
export function cancelDeleted(tx: Tx, parts: CancelParts, runId: string): void {
  const { work, runs, engine } = parts;
  const row = pastUnreadable(tx, work, () => runs.get(runId));
  if (row === null) endUnread(tx, parts, runId);
  else engine.feed(tx, runId, { type: "cancel_requested", reason: "routine_deleted" });
}

/**
 * Nobody would tell a runner that works on the run without a word, nor its pool. Which pool that is, only the run's record tells: so the
 * runner's own link is closed, whatever the pool; the default pool gives the place free also where no runner has connected yet.
 */
function endUnread(tx: Tx, { work, runs, outbox, environments, sockets }: CancelParts, runId: string): void {
  const generation = environments.attemptOf(runId);
  // Without an environment no place was asked for.
  if (generation !== null) outbox.owe(tx, "release_lease", leaseText({ run_id: runId, generation }));
  runs.removeUnread(tx, runId);
  work.afterwards(tx, `end:${runId}`, () => sockets.end(runId));
}

/** How many rows may still go. */
export class RowsLeft {
  #left: number;

  /** @param left at least one. */
  constructor(left: number) {
    this.#left = left;
  }

  get isOver(): boolean {
    return this.#left <= 0;
  }

  /** @param atMost so many, however many may go. @returns how many rows of the table have gone. */
  empty(tx: Tx, table: SQLiteTable, atMost = Number.POSITIVE_INFINITY): number {
    if (this.isOver) return 0;
    const { name, columns, primaryKeys } = getTableConfig(table);
    const keys = primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary);
    const key = keys.map((column) => column.name).join(", ");
    const some = `DELETE FROM ${name} WHERE (${key}) IN (SELECT ${key} FROM ${name} LIMIT ?) RETURNING 1`;
    const gone = tx.sql.exec(some, Math.min(this.#left, atMost)).toArray().length;
    this.#left -= gone;
    return gone;
  }
}

/**
 * Empties everything but the routine's own row, as far as rows may go; where they may to the end, it takes out of that row what its
 * owner wrote.
 */
export function emptyTables(tx: Tx, rows: RowsLeft): void {
  for (const table of PURGED) rows.empty(tx, table);
  if (!rows.isOver) tx.database.update(schema.routine).set({ definition: BLANK, pausedReason: null }).run();
}

function hasRows(tx: Tx, table: SQLiteTable): boolean {
  return tx.database.select({ one: sql`1` }).from(table).limit(1).all().length > 0;
}

function isBlank({ name }: RoutineDefinition): boolean {
  return name === BLANK.name;
}

/** The form stays: whoever reads the row finds a definition. Of what its owner wrote there is nothing in it. */
const BLANK: RoutineDefinition = {
  ...ROUTINE_DEFAULTS,
  name: "",
  prompt: "",
  model: null,
  session_key: null,
  repositories: [],
  triggers: [],
  gate: null,
  tags: {},
};
