/** The last runs of a routine that have ended, for other routines' objects. */
import { routineIdSchema } from "#protocol/ids.ts";
import { isSettled } from "#protocol/run.ts";
import { type RunRecord, readRecord, type SettledRecord } from "#rules/run/record.ts";

/**
 * @param routine an id, or a name: of several routines with that name the newest.
 * @returns newest first; null where there is no such routine.
 */
export async function lastRunsOf(database: D1Database, routine: string, last: number): Promise<SettledRecord[] | null> {
  const isId = routineIdSchema.safeParse(routine).success;
  const found = await database
    .prepare(isId ? BY_ID : BY_NAME)
    .bind(routine)
    .first<{ id: string }>();
  if (found === null) return null;
  const { results } = await database.prepare(LAST).bind(found.id, last).all<{ doc: string }>();
  return settledOf(results.map(({ doc }) => readRecord(doc)));
}

function settledOf(records: readonly RunRecord[]): SettledRecord[] {
  return records.filter((record): record is SettledRecord => isSettled(record));
}

const BY_ID = "SELECT id FROM routines WHERE id = ?";
const BY_NAME = "SELECT id FROM routines WHERE doc ->> '$.name' = ? ORDER BY id DESC LIMIT 1";
/** Of the newest runs those that have ended: what is on or waits is never many, so the index of the routine serves. */
const LAST = `SELECT doc FROM runs WHERE routine_id = ?1 AND +status IN ('succeeded', 'failed', 'timed_out', 'canceled')
  ORDER BY id DESC LIMIT ?2`;
