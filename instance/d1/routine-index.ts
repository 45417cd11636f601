/**
 * The index: what D1 has of routines and their runs. Their objects write it: each write carries a version, so that one that comes
 * late changes nothing. The worker reads it: lists across routines, newest first.
 */
import { asc, desc, eq, gt, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Page, PageRequest } from "#protocol/api.ts";
import { logTrouble } from "#protocol/log.ts";
import { poolOf } from "#protocol/pool.ts";
import type { Routine } from "#protocol/routine.ts";
import { type LastRun, type ListedRun, lastRunSchema, listedRunSchema, type RunStatus } from "#protocol/run.ts";
import type { Stats } from "#protocol/stats.ts";
import { savedRoutineSchema } from "#rules/routine/saved-definition.ts";
import { readRecord, showListed } from "#rules/run/record.ts";
import { type RoutineFilter, type RunFilter, routineSearch, runSearch } from "./routine-searches.ts";
import { readStats, type StatsAsked } from "./run-figures.ts";
import { dueRoutines, forgottenRoutines, routines, runs, subscriptions as subscriptionTable } from "./schema.ts";
import { isOnPage, type Search, searchPage } from "./search-page.ts";

/** A run as its object has stored it. */
export interface RunDocument {
  id: string;
  status: RunStatus;
  /** Its record as JSON. */
  doc: string;
  version: number;
}

/** A key by which events find a trigger. */
export interface Subscription {
  triggerId: string;
  key: string;
}

export interface RoutineEntry {
  routine: Routine;
  version: number;
  subscriptions: readonly Subscription[];
  /** When the sweep has to look at it; null when nothing is scheduled. */
  dueAt: number | null;
}

/** Writes the routine with the keys by which events find it, and when it has to be looked at. */
export async function writeRoutine(binding: D1Database, entry: RoutineEntry): Promise<void> {
  const { routine, version, subscriptions, dueAt } = entry;
  const { id } = routine;
  const rows = JSON.stringify(subscriptions.map(({ triggerId, key }) => [triggerId, key]));
  await binding.batch([
    binding
      .prepare(WRITE_ROUTINE)
      .bind(id, version, JSON.stringify(routine), poolOf(routine.runs_on), routine.environment),
    binding.prepare(DROP_SUBSCRIPTIONS).bind(id, version),
    binding.prepare(ADD_SUBSCRIPTIONS).bind(id, version, rows),
    dueAt === null ? binding.prepare(DROP_DUE).bind(id, version) : binding.prepare(SET_DUE).bind(id, version, dueAt),
  ]);
}

const WRITE_ROUTINE = `INSERT INTO routines (id, version, doc, pool, environment) SELECT ?1, ?2, ?3, ?4, ?5
  WHERE NOT EXISTS (SELECT 1 FROM forgotten_routines WHERE id = ?1)
  ON CONFLICT (id) DO UPDATE SET version = excluded.version, doc = excluded.doc, pool = excluded.pool,
  environment = excluded.environment WHERE routines.version <= excluded.version`;
/** A write that comes late leaves the row of a newer version as it is, and by this condition the other tables too. */
const IS_OURS = "EXISTS (SELECT 1 FROM routines WHERE id = ?1 AND version = ?2)";
const DROP_SUBSCRIPTIONS = `DELETE FROM subscriptions WHERE routine_id = ?1 AND ${IS_OURS}`;
const ADD_SUBSCRIPTIONS = `INSERT INTO subscriptions (routine_id, trigger_id, key)
  SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?3) WHERE ${IS_OURS}`;
/** The sweep writes this row as well, and may have heard of a version that has not been written here yet. */
const DROP_DUE = `DELETE FROM due_routines WHERE routine_id = ?1 AND version <= ?2 AND ${IS_OURS}`;
const SET_DUE = `INSERT INTO due_routines (routine_id, due_at, version) SELECT ?1, ?3, ?2 WHERE ${IS_OURS}
  ON CONFLICT (routine_id) DO UPDATE SET due_at = excluded.due_at, version = excluded.version
  WHERE due_routines.version <= excluded.version`;

/** Writes many runs of a routine with one statement. */
export async function writeRuns(
  binding: D1Database,
  routineId: string,
  documents: readonly RunDocument[],
): Promise<void> {
  if (documents.length === 0) return;
  const rows = documents.map(({ id, status, version, doc }) => [id, status, version, doc]);
  await binding.prepare(WRITE_RUNS).bind(routineId, JSON.stringify(rows)).run();
}

/**
 * All rows are bound as one text, so that the statement is the same for any number of them; a document is a text in it,
 * of which SQLite reads no more than is asked for. A run of a routine that has been deleted meanwhile is left out: nothing would ever take it out of the lists.
 */
const WRITE_RUNS = `
  INSERT INTO runs (id, routine_id, status, version, trigger_type, doc)
  SELECT value ->> 0, ?1, value ->> 1, value ->> 2, value ->> 3 ->> '$.trigger.type', value ->> 3
  FROM json_each(?2) WHERE EXISTS (SELECT 1 FROM routines WHERE id = ?1)
  ON CONFLICT (id) DO UPDATE SET status = excluded.status, doc = excluded.doc, version = excluded.version
  WHERE runs.version <= excluded.version`;

/** Takes runs out of the lists. Nothing of them may be owed any more. */
export async function forgetRuns(binding: D1Database, ids: readonly string[]): Promise<void> {
  await binding
    .prepare("DELETE FROM runs WHERE id IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(ids))
    .run();
}

/** Ids of runs that are listed of a routine, in their order. */
export async function listedRuns(
  binding: D1Database,
  routineId: string,
  after: string,
  limit: number,
): Promise<string[]> {
  const { results } = await binding.prepare(LISTED_RUNS).bind(routineId, after, limit).all<{ id: string }>();
  return results.map(({ id }) => id);
}

const LISTED_RUNS = "SELECT id FROM runs WHERE routine_id = ? AND id > ? ORDER BY id LIMIT ?";

/**
 * Takes a deleted routine out of every list, and keeps writes of it that come late from bringing it back. What it has much of
 * goes in steps, so that nobody else who asks D1 has to wait for all of it. Begun again, it goes on.
 */
export async function forgetRoutine(binding: D1Database, routineId: string, nowMs: number): Promise<void> {
  const database = drizzle(binding);
  const forgotten = { id: routineId, at: nowMs };
  await database.batch([
    database
      .insert(forgottenRoutines)
      .values(forgotten)
      .onConflictDoUpdate({ target: forgottenRoutines.id, set: forgotten }),
    database.delete(routines).where(eq(routines.id, routineId)),
    database.delete(subscriptionTable).where(eq(subscriptionTable.routineId, routineId)),
    database.delete(dueRoutines).where(eq(dueRoutines.routineId, routineId)),
  ]);
  for (const statement of [FORGET_RUNS, FORGET_LETTERS, FORGET_NOTIFICATIONS]) {
    for (let gone = FORGOTTEN_AT_ONCE; gone === FORGOTTEN_AT_ONCE; ) {
      const { results } = await binding.prepare(statement).bind(routineId, FORGOTTEN_AT_ONCE).all();
      gone = results.length;
    }
  }
}

/** A row of D1 that is deleted is one in each of its indexes too. */
const FORGOTTEN_AT_ONCE = 1_000;
const some = (table: string) =>
  `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE routine_id = ? LIMIT ?) RETURNING 1`;
const FORGET_RUNS = some("runs");
const FORGET_LETTERS = some("dead_letters");
const FORGET_NOTIFICATIONS = some("notifications");

type Listed = typeof routines | typeof runs;

export interface RoutineIndex {
  listRoutines(filter: RoutineFilter, page: PageRequest): Promise<Page<Routine>>;
  listRuns(filter: RunFilter, page: PageRequest): Promise<Page<ListedRun>>;
  /** The newest run of each routine that has one, by the routine's id. */
  lastRuns(routineIds: readonly string[]): Promise<Map<string, LastRun>>;
  stats(asked: StatsAsked): Promise<Stats>;
  /** Ids of routines, a page at a time. @param after the last of the page before; "" for the first page. */
  ids(after: string, limit: number): Promise<string[]>;
  /** See `forgetRoutine`. */
  forget(routineId: string, nowMs: number): Promise<void>;
  /** Forgets routines that were deleted before this moment: no write comes so late that it could bring them back. */
  purgeForgotten(beforeMs: number): Promise<void>;
}

export function routineIndex(database: D1Database): RoutineIndex {
  const db = drizzle(database);

  async function list<Item>(table: Listed, search: Search, page: PageRequest, read: (doc: string) => Item) {
    const { keys, next_cursor } = await searchPage(db, search, page);
    const rows = await db
      .select({ id: table.id, doc: table.doc })
      .from(table)
      .where(isOnPage(table.id, keys))
      .orderBy(desc(table.id));
    return { data: readable(rows, read), next_cursor };
  }

  return {
    listRoutines: (filter, page) => list(routines, routineSearch(filter), page, readRoutine),
    listRuns: (filter, page) => list(runs, runSearch(filter), page, readRun),
    lastRuns: async (routineIds) => {
      const asked = database.prepare(LAST_RUNS).bind(JSON.stringify(routineIds));
      const { results } = await asked.all<{ id: string; doc: string }>();
      return new Map(
        readable(results, (doc) => lastRunSchema.parse(showListed(readRecord(doc)))).map((run) => [
          run.routine_id,
          run,
        ]),
      );
    },
    stats: (asked) => readStats(database, asked),
    ids: async (after, limit) => {
      const page = db.select({ id: routines.id }).from(routines).where(gt(routines.id, after));
      return (await page.orderBy(asc(routines.id)).limit(limit)).map(({ id }) => id);
    },
    forget: (routineId, nowMs) => forgetRoutine(database, routineId, nowMs),
    purgeForgotten: async (beforeMs) => {
      await db.delete(forgottenRoutines).where(lt(forgottenRoutines.at, beforeMs));
    },
  };
}

/** The index of a routine's runs gives its newest, however many there are. */
const LAST_RUNS = `SELECT id, doc FROM runs WHERE id IN (
  SELECT (SELECT id FROM runs WHERE routine_id = routine.value ORDER BY id DESC LIMIT 1) FROM json_each(?) AS routine)`;
const readRoutine = (doc: string) => savedRoutineSchema.parse(JSON.parse(doc));
const readRun = (doc: string) => listedRunSchema.parse(showListed(readRecord(doc)));

/** A row that can't be read is skipped, not fatal. */
function readable<Item>(rows: { id: string; doc: string }[], read: (doc: string) => Item): Item[] {
  return rows.flatMap(({ id, doc }) => {
    try {
      return [read(doc)];
    } catch (error) {
      logTrouble("row_unreadable", { id }, error);
      return [];
    }
  });
}
