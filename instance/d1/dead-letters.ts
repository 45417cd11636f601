/** Dead letters as D1 has them: their routines' objects write them, the worker lists them. */
import { and, desc, eq, gte, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Page, PageRequest } from "#protocol/api.ts";
import { type DeadLetter, type DeadLetterState, deadLetterSchema } from "#protocol/dead-letter.ts";
import { logTrouble } from "#protocol/log.ts";
import { deadLetters } from "./dead-letters-schema.ts";
import { pageBounds, pageEndSchema } from "./page-bounds.ts";

/** One as its object has it. */
interface Written {
  id: string;
  doc: DeadLetter;
  version: number;
}

/**
 * Writes what has changed, and takes out what the routine keeps no more. Of a routine that has been deleted meanwhile nothing
 * is written. @param oldest the oldest that is kept; null where none is.
 */
export async function writeDeadLetters(
  binding: D1Database,
  routineId: string,
  rows: readonly Written[],
  oldest: string | null,
): Promise<void> {
  const list = JSON.stringify(rows.map(({ id, doc, version }) => ({ id, doc, version })));
  await binding.batch([
    binding.prepare(WRITE).bind(routineId, list),
    binding.prepare(TAKE_OUT).bind(routineId, oldest),
  ]);
}

const WRITE = `INSERT INTO dead_letters (id, routine_id, is_fired, doc, version)
  SELECT value ->> 'id', ?1, value ->> '$.doc.fired' IS NOT NULL, value -> 'doc', value ->> 'version'
  FROM json_each(?2) WHERE EXISTS (SELECT 1 FROM routines WHERE id = ?1)
  ON CONFLICT (id) DO UPDATE SET is_fired = excluded.is_fired, doc = excluded.doc, version = excluded.version
  WHERE dead_letters.version <= excluded.version`;
const TAKE_OUT = "DELETE FROM dead_letters WHERE routine_id = ?1 AND (?2 IS NULL OR id < ?2)";

/** A row that can't be read is skipped, not fatal. */
function read({ id, doc }: { id: string; doc: string }): DeadLetter[] {
  const { data, error } = deadLetterSchema.safeParse(JSON.parse(doc));
  if (data !== undefined) return [data];
  logTrouble("row_unreadable", { id }, error);
  return [];
}

export interface DeadLetterLists {
  /** Newest first. @param routineId null for all routines. */
  list(filter: { routineId: string | null; state: DeadLetterState }, page: PageRequest): Promise<Page<DeadLetter>>;
}

export function deadLetterLists(database: D1Database): DeadLetterLists {
  const db = drizzle(database);
  return {
    list: async ({ routineId, state }, { limit, cursor }) => {
      const where = and(
        routineId === null ? undefined : eq(deadLetters.routineId, routineId),
        state === "all" ? undefined : eq(deadLetters.isFired, state === "fired"),
        cursor === null ? undefined : lt(deadLetters.id, cursor),
      );
      const query = pageBounds({ table: deadLetters, key: deadLetters.id, doc: deadLetters.doc, where, limit });
      const { last, has_more } = pageEndSchema.parse(await db.get(query));
      const rows = await db
        .select({ id: deadLetters.id, doc: deadLetters.doc })
        .from(deadLetters)
        .where(and(where, last === null ? sql`0` : gte(deadLetters.id, String(last))))
        .orderBy(desc(deadLetters.id));
      return { data: rows.flatMap(read), next_cursor: has_more ? String(last) : null };
    },
  };
}
