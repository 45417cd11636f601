/** The pools that people have made, and their tokens, in D1. Callers pass hashes, never tokens; times are Unix milliseconds. */
import { and, asc, count, desc, eq, isNull, lt, lte, notInArray, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { pools as table } from "#instance/d1/pools-schema.ts";
import { routines } from "#instance/d1/schema.ts";
import type { Actor } from "#protocol/actor.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import { POOL_LIMIT } from "#protocol/pool.ts";
import type { Database } from "../parties/database.ts";

export type PoolRow = typeof table.$inferSelect;

/** A pool whose object has to be told which tokens are in force. */
export interface PoolToTell {
  row: PoolRow;
  /** Hashes. */
  inForce: string[];
}

/** A pool that a routine names, and that there is not. */
export interface MissingPool {
  pool: string;
  /** The first of the routines that name it. */
  routineId: string;
}

export interface Pools {
  /** Newest first. */
  list(page: PageRequest): Promise<Page<PoolRow>>;
  find(name: string): Promise<PoolRow | null>;
  /** In the order of the alphabet. */
  names(): Promise<string[]>;
  add(pool: { name: string; tokenHash: string; actor: Actor }, nowMs: number): Promise<PoolRow | "taken" | "too_many">;
  /** Puts a token in force; the one before is accepted for a while too. @returns null when there is no such pool. */
  setToken(name: string, token: { hash: string; actor: Actor }, nowMs: number): Promise<PoolRow | null>;
  /** Ends all tokens of a pool at once. @returns null when there is no such pool. */
  revoke(name: string, nowMs: number): Promise<PoolRow | null>;
  /** Deletes a pool that no routine names. @returns null when one does, or there is no such pool. */
  remove(name: string, nowMs: number): Promise<PoolRow | null>;
  /** Ids of routines that name a pool. */
  routinesOf(name: string, limit: number): Promise<string[]>;
  /** Pools that routines name, and that there are not. */
  missing(limit: number): Promise<MissingPool[]>;
  /** Pools whose objects have to be told now which tokens are in force. */
  toTell(limit: number, nowMs: number): Promise<PoolToTell[]>;
  /** A pool's object has been told, as the row was then. */
  told(row: PoolRow, nowMs: number): Promise<void>;
}

/** The token before a new one is accepted for so long too, so that runners can be given the new one in turn. */
export const PREVIOUS_TOKEN_MS = 24 * 3_600_000;
/** A runner whose token was checked before a change may still come in: the pool's object is told again when none can any more. */
const SETTLED_MS = 30_000;
const IS_THERE = isNull(table.deletedAt);

export function pools(database: Database): Pools {
  const db = drizzle(database);
  const repeatable = drizzle(database.repeatable);
  const named = (name: string) => and(eq(table.name, name), IS_THERE);
  return {
    list: async ({ limit, cursor }) => {
      const after = cursor === null ? undefined : lt(table.number, Number(cursor));
      const rows = await db
        .select()
        .from(table)
        .where(and(IS_THERE, after))
        .orderBy(desc(table.number))
        .limit(limit + 1);
      const data = rows.slice(0, limit);
      return { data, next_cursor: rows.length > limit ? String(data.at(-1)?.number) : null };
    },
    find: async (name) => (await db.select().from(table).where(named(name)))[0] ?? null,
    names: async () => {
      const rows = await db.select({ name: table.name }).from(table).where(IS_THERE).orderBy(asc(table.name));
      return rows.map(({ name }) => name);
    },
    add: async ({ name, tokenHash, actor }, nowMs) => {
      const [counted] = await db.select({ count: count() }).from(table).where(IS_THERE);
      if ((counted?.count ?? 0) >= POOL_LIMIT) return "too_many";
      const made = { createdAt: nowMs, createdBy: actor, tokenHash, tokenAt: nowMs, tokenBy: actor };
      // One of this name that was deleted has yet to shut its runners out: `tellAt` stays.
      const anew = { ...made, previousHash: null, previousUntil: null, deletedAt: null };
      const [row] = await db
        .insert(table)
        .values({ name, ...made })
        .onConflictDoUpdate({ target: table.name, set: anew, setWhere: sql`${table.deletedAt} IS NOT NULL` })
        .returning();
      return row ?? "taken";
    },
    setToken: async (name, { hash, actor }, nowMs) => {
      const previous = {
        previousHash: table.tokenHash,
        previousUntil: sql`iif(${table.tokenHash} IS NULL, NULL, ${nowMs + PREVIOUS_TOKEN_MS})`,
      };
      const token = { tokenHash: hash, tokenAt: nowMs, tokenBy: actor };
      const [row] = await db
        .update(table)
        .set({ ...previous, ...token, tellAt: nowMs + SETTLED_MS })
        .where(named(name))
        .returning();
      return row ?? null;
    },
    revoke: async (name, nowMs) => {
      const ended = { tokenHash: null, previousHash: null, previousUntil: null, tellAt: nowMs + SETTLED_MS };
      const [row] = await repeatable.update(table).set(ended).where(named(name)).returning();
      return row ?? null;
    },
    remove: async (name, nowMs) => {
      const ended = { tokenHash: null, previousHash: null, previousUntil: null, tellAt: nowMs + SETTLED_MS };
      const isFree = sql`NOT EXISTS (SELECT 1 FROM routines WHERE pool = ${name} AND pool <> 'default')`;
      const [row] = await db
        .update(table)
        .set({ ...ended, deletedAt: nowMs })
        .where(and(named(name), isFree))
        .returning();
      return row ?? null;
    },
    routinesOf: async (name, limit) => {
      // Said twice, so that the index, which leaves the default pool out, is used.
      const where = and(eq(routines.pool, name), sql`pool <> 'default'`);
      const rows = await db
        .select({ id: routines.id })
        .from(routines)
        .where(where)
        .orderBy(asc(routines.id))
        .limit(limit);
      return rows.map(({ id }) => id);
    },
    missing: async (limit) => {
      const there = db.select({ name: table.name }).from(table).where(IS_THERE);
      return await db
        .select({ pool: routines.pool, routineId: sql<string>`min(${routines.id})` })
        .from(routines)
        .where(and(sql`pool <> 'default'`, notInArray(routines.pool, there)))
        .groupBy(routines.pool)
        .limit(limit);
    },
    toTell: async (limit, nowMs) => {
      const rows = await db
        .select()
        .from(table)
        .where(lte(table.tellAt, nowMs))
        .orderBy(asc(table.tellAt))
        .limit(limit);
      return rows.map((row) => ({ row, inForce: tokensInForce(row, nowMs) }));
    },
    told: async (row, nowMs) => {
      const { number, tellAt, previousUntil } = row;
      const asTold = and(eq(table.number, number), eq(table.tellAt, tellAt ?? 0));
      const isOver = previousUntil === null || previousUntil <= nowMs;
      const rest = isOver ? { previousHash: null, previousUntil: null, tellAt: null } : { tellAt: previousUntil };
      await repeatable.batch([
        repeatable.delete(table).where(and(asTold, sql`${table.deletedAt} IS NOT NULL`)),
        repeatable.update(table).set(rest).where(asTold),
      ]);
    },
  };
}

/** Hashes of the tokens by which runners are let in at this moment. */
export function tokensInForce({ tokenHash, previousHash, previousUntil }: PoolRow, nowMs: number): string[] {
  const isPreviousGood = previousHash !== null && (previousUntil ?? 0) > nowMs;
  return [...(tokenHash === null ? [] : [tokenHash]), ...(isPreviousGood ? [previousHash] : [])];
}
