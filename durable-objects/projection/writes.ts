/** Writes of the routines' objects to D1. Each carries a version, so that one that comes late changes nothing. */
import { eq, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Routine } from "#protocol/routine.ts";
import { routines, runs } from "./schema.ts";

/** A run as its object has stored it. */
export interface RunDocument {
  id: string;
  /** The run as JSON. */
  doc: string;
  version: number;
}

export async function projectRoutine(binding: D1Database, routine: Routine, version: number): Promise<void> {
  const doc = JSON.stringify(routine);
  await drizzle(binding)
    .insert(routines)
    .values({ id: routine.id, doc, version })
    .onConflictDoUpdate({
      target: routines.id,
      set: { doc, version },
      setWhere: lt(routines.version, sql`excluded.version`),
    });
}

/** Writes many runs with one statement. */
export async function projectRuns(binding: D1Database, documents: readonly RunDocument[]): Promise<void> {
  if (documents.length === 0) return;
  const list = documents.map(({ doc, version }) => `{"version":${version},"run":${doc}}`);
  await binding
    .prepare(PROJECT_RUNS)
    .bind(`[${list.join(",")}]`)
    .run();
}

/** Documents travel as they are stored, as one text: how many there are makes no other statement. */
const PROJECT_RUNS = `
  INSERT INTO runs (id, routine_id, status, trigger_type, doc, version)
  SELECT
    value ->> '$.run.id', value ->> '$.run.routine_id', value ->> '$.run.status', value ->> '$.run.trigger.type',
    value -> '$.run', value ->> '$.version'
  FROM json_each(?) WHERE true
  ON CONFLICT (id) DO UPDATE SET status = excluded.status, doc = excluded.doc, version = excluded.version
  WHERE runs.version < excluded.version`;

/** Takes a deleted routine out of every list. */
export async function forgetRoutine(binding: D1Database, routineId: string): Promise<void> {
  const database = drizzle(binding);
  await database.batch([
    database.delete(routines).where(eq(routines.id, routineId)),
    database.delete(runs).where(eq(runs.routineId, routineId)),
  ]);
}
