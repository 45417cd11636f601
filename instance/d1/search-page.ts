/**
 * A page of a list that can be searched. What has an index is looked up by it; the rest is looked for among so many rows, and
 * no more: a search for what is rare gives pages with few rows or none, each with the cursor from where to look on.
 */
import { and, type SQL, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { z } from "zod";
import type { PageRequest } from "#protocol/api.ts";
import { PAGE_CHARACTERS } from "./page-bounds.ts";

/** How many rows a search looks at for one page. */
export const SEARCHED_ROWS = 1_000;

export interface Search {
  table: SQLiteTable;
  /** Sorts the list, newest last. */
  key: SQLiteColumn;
  /** How long a row is in characters. */
  size: SQL;
  /** What an index answers: rows for which one of these holds. None for all rows. */
  sources: readonly SQL[];
  /** What is looked for in the rows themselves. */
  conditions: readonly (SQL | undefined)[];
  /** Keys from here on, and before there; null for no bound. */
  from: string | null;
  before: string | null;
}

interface FoundPage {
  keys: string[];
  next_cursor: string | null;
}

const rowsSchema = z.array(z.object({ key: z.string(), size: z.number(), matches: z.number() }));
type Row = z.infer<typeof rowsSchema>[number];

/** @returns the keys of the page, newest first. */
export async function searchPage(db: DrizzleD1Database, search: Search, page: PageRequest): Promise<FoundPage> {
  const wanted = and(...search.conditions);
  const sources = search.sources.length === 0 ? [sql`1`] : search.sources;
  const rowsOfEach = wanted === undefined ? page.limit + 1 : Math.ceil(SEARCHED_ROWS / sources.length);
  const looked: Row[][] = [];
  for (const source of sources) {
    looked.push(rowsSchema.parse(await db.all(lookAt(search, source, wanted ?? sql`1`, page, rowsOfEach))));
  }
  return pageOf(looked, rowsOfEach, page.limit);
}

function lookAt(
  { table, key, size, from, before }: Search,
  source: SQL,
  wanted: SQL,
  page: PageRequest,
  limit: number,
) {
  const bounds = and(
    source,
    from === null ? undefined : sql`${key} >= ${from}`,
    before === null ? undefined : sql`${key} < ${before}`,
    page.cursor === null ? undefined : sql`${key} < ${page.cursor}`,
  );
  return sql`SELECT ${key} AS key, ${size} AS size, COALESCE(${wanted}, 0) AS matches FROM ${table}
    WHERE ${bounds} ORDER BY ${key} DESC LIMIT ${limit}`;
}

/** Below where a source was left off there may be rows of it that belong before those of the others. */
function pageOf(looked: readonly Row[][], rowsOfEach: number, limit: number): FoundPage {
  const leftOff = looked.flatMap((rows) => (rows.length < rowsOfEach ? [] : (rows.at(-1)?.key ?? [])));
  const end = leftOff.toSorted().at(-1) ?? "";
  const rows = looked
    .flat()
    .filter(({ key }) => key >= end)
    .toSorted((one, other) => (one.key < other.key ? 1 : -1));
  const keys: string[] = [];
  let characters = 0;
  for (const { key, size, matches } of rows) {
    if (matches === 0) continue;
    characters += size;
    // The first row of a page is on it however long it is.
    if (keys.length === limit || (keys.length > 0 && characters > PAGE_CHARACTERS)) {
      return { keys, next_cursor: keys.at(-1) ?? null };
    }
    keys.push(key);
  }
  return { keys, next_cursor: end === "" ? null : end };
}

/** Whether one of the texts contains what is looked for; letters of the alphabet may be small or capital. */
export function containsText(text: string, places: readonly SQL[]): SQL {
  const any = places.map((place) => sql`instr(lower(COALESCE(${place}, '')), ${text.toLowerCase()}) > 0`);
  return sql`(${sql.join(any, sql` OR `)})`;
}

/** Whether a value is one of these few: each is bound by itself. A list as JSON would be read again for every row. */
export function isOneOf(value: SQL, known: readonly string[]): SQL {
  return sql`${value} IN (${sql.join(
    known.map((one) => sql`${one}`),
    sql`, `,
  )})`;
}

/** Whether a key is one of a page's. */
export function isOnPage(key: SQLiteColumn, keys: readonly string[]): SQL {
  return sql`${key} IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`;
}

/** Whether a document has a tag. @param tag its name, or name and value: `team` or `team:docs`. */
export function hasTag(doc: SQL | SQLiteColumn, tag: string): SQL {
  const [name = "", ...value] = tag.split(":");
  const found = sql`json_extract(${doc}, ${`$.tags."${name.replaceAll(/[^A-Za-z0-9_.-]/g, "")}"`})`;
  return value.length === 0 ? sql`${found} IS NOT NULL` : sql`${found} = ${value.join(":")}`;
}
