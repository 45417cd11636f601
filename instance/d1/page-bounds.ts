/** Where a page of a list ends: after so many rows, or where their documents have grown too long to cross together. */
import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { z } from "zod";

/** The most that the documents of a page may have together, in characters: well under the 32 MiB that one call may carry. */
export const PAGE_CHARACTERS = 4_194_304;

export interface PageBounds {
  table: SQLiteTable;
  /** Sorts the list, newest last; the page takes the newest that are smaller than `before`. */
  key: SQLiteColumn;
  doc: SQLiteColumn;
  where: SQL | undefined;
  limit: number;
}

/** A query that gives one row, for `pageEndSchema`. The first row of a page is on it however long it is. */
export function pageBounds({ table, key, doc, where, limit }: PageBounds): SQL {
  return sql`
    SELECT MIN(key) AS last, COALESCE(MAX(available) > COUNT(*), 0) AS has_more FROM (
      SELECT
        key,
        COUNT(*) OVER () AS available,
        ROW_NUMBER() OVER (ORDER BY key DESC) AS place,
        SUM(size) OVER (ORDER BY key DESC) AS total
      FROM (
        SELECT ${key} AS key, LENGTH(${doc}) AS size FROM ${table}
        WHERE ${where ?? sql`1`} ORDER BY ${key} DESC LIMIT ${limit + 1}
      )
    )
    WHERE place <= ${limit} AND (total <= ${PAGE_CHARACTERS} OR place = 1)`;
}

export const pageEndSchema = z.object({
  /** The smallest key on the page; null when it is empty. */
  last: z.union([z.string(), z.number(), z.null()]),
  has_more: z.number().transform((flag) => flag === 1),
});
