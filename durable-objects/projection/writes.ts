/** Writes of the routines' objects to D1. Each carries a version, so that one that comes late changes nothing. */
import { eq, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Routine } from "#protocol/routine.ts";
import type { Run } from "#protocol/run.ts";
import { routines, runs } from "./schema.ts";

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

export async function projectRun(binding: D1Database, run: Run, version: number): Promise<void> {
  const changing = { status: run.status, doc: JSON.stringify(run), version };
  await drizzle(binding)
    .insert(runs)
    .values({ id: run.id, routineId: run.routine_id, triggerType: run.trigger.type, ...changing })
    .onConflictDoUpdate({ target: runs.id, set: changing, setWhere: lt(runs.version, sql`excluded.version`) });
}

/** Takes a deleted routine out of every list. */
export async function forgetRoutine(binding: D1Database, routineId: string): Promise<void> {
  const database = drizzle(binding);
  await database.batch([
    database.delete(routines).where(eq(routines.id, routineId)),
    database.delete(runs).where(eq(runs.routineId, routineId)),
  ]);
}
