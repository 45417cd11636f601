/** The secrets that people have given the instance, and who used them, in D1. Callers pass encrypted values; times are Unix milliseconds. */
import { and, asc, count, desc, eq, getTableColumns, gt, inArray, lt, lte, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { secrets as table, secretUses as uses } from "#instance/d1/secrets-schema.ts";
import type { Actor } from "#protocol/actor.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import { SECRET_LIMIT, type SecretScope, type SecretSource } from "#protocol/secret.ts";
import type { Database } from "../parties/database.ts";

/** Those in JSON are as they are in the row, which somebody may have changed. */
export type SecretRow = Omit<typeof table.$inferSelect, "sealed" | JsonColumn> & Record<JsonColumn, string | null>;
type JsonColumn = "source" | "scope" | "createdBy" | "updatedBy";
export type SecretUseRow = typeof uses.$inferSelect;

export interface SecretToKeep {
  name: string;
  /** One of the two. */
  sealed: string | null;
  source: SecretSource | null;
  /** Undefined leaves the scope as it is; of a new one it is for all. */
  scope: SecretScope | undefined;
  actor: Actor;
}

/** An encrypted value with its place among them. */
export interface SealedValue {
  number: number;
  name: string;
  sealed: string;
}

export interface SecretStore {
  /** Newest first. */
  list(page: PageRequest): Promise<Page<SecretRow>>;
  find(name: string): Promise<SecretRow | null>;
  /** Puts it in the place of one of the same name. */
  keep(secret: SecretToKeep, nowMs: number): Promise<SecretRow | "too_many">;
  /** @returns whether there was one. */
  remove(name: string): Promise<boolean>;
  /** Newest first; also of a secret that is gone. */
  uses(name: string, page: PageRequest): Promise<Page<SecretUseRow>>;
  /** Encrypted values behind a place, in order. */
  sealedAfter(number: number, limit: number): Promise<SealedValue[]>;
  /** Puts it in the place of what was read before. @returns whether that was still there. */
  replaceSealed(before: SealedValue, sealed: string): Promise<boolean>;
  /** Forgets uses from before a moment, and the oldest of more than `limit`. @returns whether there may be more to forget. */
  forgetUses(beforeMs: number, limit: number): Promise<boolean>;
}

/** So many rows are deleted in one statement. */
const FORGOTTEN_AT_ONCE = 1_000;

export function secretStore(database: Database): SecretStore {
  const db = drizzle(database);
  const repeatable = drizzle(database.repeatable);
  const { sealed: _value, ...columns } = getTableColumns(table);
  const asItIs = (column: JsonColumn) => sql<string | null>`${table[column]}`;
  const shown = {
    ...columns,
    source: asItIs("source"),
    scope: asItIs("scope"),
    createdBy: asItIs("createdBy"),
    updatedBy: asItIs("updatedBy"),
  };
  return {
    list: async ({ limit, cursor }) => {
      const after = cursor === null ? undefined : lt(table.number, Number(cursor));
      const rows = await db
        .select(shown)
        .from(table)
        .where(after)
        .orderBy(desc(table.number))
        .limit(limit + 1);
      return pageOf(rows, limit);
    },
    find: async (name) => (await db.select(shown).from(table).where(eq(table.name, name)))[0] ?? null,
    keep: async ({ name, sealed, source, scope, actor }, nowMs) => {
      const [counted] = await db.select({ count: count() }).from(table).where(sql`${table.name} <> ${name}`);
      if ((counted?.count ?? 0) >= SECRET_LIMIT) return "too_many";
      const changed = { sealed, source, updatedAt: nowMs, updatedBy: actor };
      const [row] = await repeatable
        .insert(table)
        .values({ name, ...changed, scope: scope ?? {}, createdAt: nowMs, createdBy: actor })
        .onConflictDoUpdate({ target: table.name, set: scope === undefined ? changed : { ...changed, scope } })
        .returning(shown);
      if (row === undefined) throw new Error("a secret that was written is not there");
      return row;
    },
    remove: async (name) =>
      (await db.delete(table).where(eq(table.name, name)).returning({ name: table.name })).length > 0,
    uses: async (name, { limit, cursor }) => {
      const after = cursor === null ? undefined : lt(uses.number, Number(cursor));
      const where = and(eq(uses.name, name), after);
      const rows = await db
        .select()
        .from(uses)
        .where(where)
        .orderBy(desc(uses.number))
        .limit(limit + 1);
      return pageOf(rows, limit);
    },
    sealedAfter: async (number, limit) => {
      const { name, sealed } = table;
      const rows = await db
        .select({ number: table.number, name, sealed })
        .from(table)
        .where(and(gt(table.number, number), sql`sealed IS NOT NULL`))
        .orderBy(asc(table.number))
        .limit(limit);
      return rows.map((row) => ({ ...row, sealed: row.sealed ?? "" }));
    },
    replaceSealed: async ({ number, sealed: before }, sealed) => {
      // Also where it is there already: the statement before may have gone through though an error was the answer.
      const isStill = or(eq(table.sealed, before), eq(table.sealed, sealed));
      const replaced = await repeatable
        .update(table)
        .set({ sealed })
        .where(and(eq(table.number, number), isStill))
        .returning({ name: table.name });
      return replaced.length > 0;
    },
    forgetUses: async (beforeMs, limit) => {
      const tooMany = sql`${uses.number} <= (SELECT max(number) FROM secret_uses) - ${limit}`;
      const old = db
        .select({ number: uses.number })
        .from(uses)
        .where(or(lte(uses.at, beforeMs), tooMany))
        .limit(FORGOTTEN_AT_ONCE);
      const gone = await repeatable.delete(uses).where(inArray(uses.number, old)).returning({ number: uses.number });
      return gone.length === FORGOTTEN_AT_ONCE;
    },
  };
}

function pageOf<Row extends { number: number }>(rows: Row[], limit: number): Page<Row> {
  return { data: rows.slice(0, limit), next_cursor: rows.length > limit ? String(rows[limit - 1]?.number) : null };
}
