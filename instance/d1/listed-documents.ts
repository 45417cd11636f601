/** Documents that routines' objects own and D1 lists: an object writes its own, the worker reads them page by page. */
import { and, desc, gte, lt, type SQL, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { z } from "zod";
import type { Page, PageRequest } from "#protocol/api.ts";
import { logTrouble } from "#protocol/log.ts";
import { parseJson } from "#rules/json.ts";
import { pageBounds, pageEndSchema } from "./page-bounds.ts";

/** One as its object has it. */
export interface WrittenDocument<Doc> {
  id: string;
  doc: Doc;
  version: number;
}

/** A table of them: its name, and its column for what lists are filtered by, with where that is in a document. Trusted texts. */
export interface DocumentTable {
  name: string;
  column: string;
  /** SQL on the row `value`, which has `id`, `doc` and `version`. */
  value: string;
}

/**
 * Writes what has changed, and takes out what the routine keeps no more. Of a routine that has been deleted meanwhile nothing
 * is written. @param oldest the oldest that is kept; null where none is.
 */
export async function writeDocuments(
  binding: D1Database,
  { name, column, value }: DocumentTable,
  routineId: string,
  rows: readonly WrittenDocument<unknown>[],
  oldest: string | null,
): Promise<void> {
  const list = JSON.stringify(rows.map(({ id, doc, version }) => ({ id, doc, version })));
  const write = `INSERT INTO ${name} (id, routine_id, ${column}, doc, version)
    SELECT value ->> 'id', ?1, ${value}, value -> 'doc', value ->> 'version'
    FROM json_each(?2) WHERE EXISTS (SELECT 1 FROM routines WHERE id = ?1)
    ON CONFLICT (id) DO UPDATE SET ${column} = excluded.${column}, doc = excluded.doc, version = excluded.version
    WHERE ${name}.version <= excluded.version`;
  const takeOut = `DELETE FROM ${name} WHERE routine_id = ?1 AND (?2 IS NULL OR id < ?2)`;
  await binding.batch([binding.prepare(write).bind(routineId, list), binding.prepare(takeOut).bind(routineId, oldest)]);
}

const rowsSchema = z.array(z.object({ id: z.string(), doc: z.string() }));

interface ListedTable<Doc> {
  table: SQLiteTable & { id: SQLiteColumn; doc: SQLiteColumn };
  schema: z.ZodType<Doc>;
  where: SQL | undefined;
}

/** Newest first. A row that can't be read is skipped, not fatal. */
export async function documentsPage<Doc>(
  db: DrizzleD1Database,
  { table, schema, where: filter }: ListedTable<Doc>,
  { limit, cursor }: PageRequest,
): Promise<Page<Doc>> {
  const where = and(filter, cursor === null ? undefined : lt(table.id, cursor));
  const bounds = pageBounds({ table, key: table.id, doc: table.doc, where, limit });
  const { last, has_more } = pageEndSchema.parse(await db.get(bounds));
  const rows = await db
    .select({ id: table.id, doc: table.doc })
    .from(table)
    .where(and(where, last === null ? sql`0` : gte(table.id, String(last))))
    .orderBy(desc(table.id));
  const data = rowsSchema.parse(rows).flatMap(({ id, doc }) => {
    const read = schema.safeParse(parseJson(doc));
    if (read.success) return [read.data];
    logTrouble("row_unreadable", { id }, read.error);
    return [];
  });
  return { data, next_cursor: has_more ? String(last) : null };
}
