/** Environments in D1, for people: lists, and changes, each of which is one statement that says what it depends on. */
import { and, asc, count, desc, eq, gte, lt, ne, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { environmentsNamed, readableEnvironment, unchangedDefault } from "#instance/d1/environments.ts";
import { environments as table } from "#instance/d1/environments-schema.ts";
import { pageBounds, pageEndSchema } from "#instance/d1/page-bounds.ts";
import { routines } from "#instance/d1/schema.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import {
  DEFAULT_ENVIRONMENT,
  DEFAULT_ENVIRONMENT_ID,
  ENVIRONMENT_LIMIT,
  type Environment,
} from "#protocol/environment.ts";
import { environmentIdSchema } from "#protocol/ids.ts";
import type { Database } from "../parties/database.ts";

/** Why a change did not go through: another change came first, the name is another's, routines name it, or as many are in use as can be. */
export type Unsaved = "changed" | "taken" | "in_use" | "too_many";

export interface Environments {
  /** Newest first, without `default`, and without those whose rows can't be read. */
  list(page: PageRequest): Promise<Page<Environment>>;
  /** @param key an id, or a name: of several with that name the one in use, or else the one that was archived last. */
  find(key: string): Promise<Environment | null>;
  /** See `environmentsNamed`. */
  named(names: readonly string[]): Promise<ReadonlyMap<string, Environment | null>>;
  /** In the order of the alphabet, also of those that were archived. */
  names(): Promise<string[]>;
  add(environment: Environment): Promise<"added" | "taken" | "too_many">;
  /** Saves a change. @param before as it was read: nothing is saved when it has been changed since. */
  save(before: Environment, after: Environment): Promise<"saved" | Unsaved>;
  /** Ids of routines that name it. */
  routinesOf(name: string, limit: number): Promise<string[]>;
}

export function environments(database: Database): Environments {
  const db = drizzle(database);
  const rowOf = (environment: Environment) => {
    const { id, name, status, revision } = environment;
    return { id, name, status, revision, doc: JSON.stringify(environment) };
  };
  const routinesOf = async (name: string, limit: number) => {
    // Said twice, so that the index, which leaves `default` out, is used where it can be.
    const isOther = name === DEFAULT_ENVIRONMENT ? undefined : sql`environment <> 'default'`;
    const where = and(eq(routines.environment, name), isOther);
    const rows = await db
      .select({ id: routines.id })
      .from(routines)
      .where(where)
      .orderBy(asc(routines.id))
      .limit(limit);
    return rows.map(({ id }) => id);
  };
  const inUse = async () => {
    const [counted] = await db.select({ count: count() }).from(table).where(eq(table.status, "active"));
    return counted?.count ?? 0;
  };
  const byId = async (id: string) => {
    const [row] = await db.select({ doc: table.doc }).from(table).where(eq(table.id, id));
    if (row !== undefined) return readableEnvironment({ id, doc: row.doc });
    return id === DEFAULT_ENVIRONMENT_ID ? unchangedDefault() : null;
  };
  return {
    list: async ({ limit, cursor }) => {
      const where = and(ne(table.id, DEFAULT_ENVIRONMENT_ID), cursor === null ? undefined : lt(table.id, cursor));
      const query = pageBounds({ table, key: table.id, doc: table.doc, where, limit });
      const { last, has_more } = pageEndSchema.parse(await db.get(query));
      const rows = await db
        .select({ id: table.id, doc: table.doc })
        .from(table)
        .where(and(where, last === null ? sql`0` : gte(table.id, String(last))))
        .orderBy(desc(table.id));
      return {
        data: rows.flatMap((row) => readableEnvironment(row) ?? []),
        next_cursor: has_more ? String(last) : null,
      };
    },
    find: async (key) =>
      environmentIdSchema.safeParse(key).success
        ? await byId(key)
        : ((await environmentsNamed(database, [key])).get(key) ?? null),
    named: (names) => environmentsNamed(database, names),
    names: async () => {
      const rows = await db.selectDistinct({ name: table.name }).from(table).orderBy(asc(table.name));
      return rows.map(({ name }) => name);
    },
    add: async (environment) => {
      if ((await inUse()) >= ENVIRONMENT_LIMIT) return "too_many";
      const added = await db.insert(table).values(rowOf(environment)).onConflictDoNothing().returning({ id: table.id });
      return added.length > 0 ? "added" : "taken";
    },
    save: async (before, after) => {
      // `default` has no row before its first change.
      if (before.revision === 0) await db.insert(table).values(rowOf(before)).onConflictDoNothing();
      const { id, name, status, revision, doc } = rowOf(after);
      const { meta } = await database.prepare(SAVE).bind(id, before.revision, name, status, revision, doc).run();
      if (meta.changes > 0) return "saved";
      if ((await byId(id))?.revision !== before.revision) return "changed";
      const holder = (await environmentsNamed(database, [name])).get(name);
      if (status === "active" && holder?.status === "active" && holder.id !== id) return "taken";
      const isBack = before.status === "archived" && status === "active";
      return isBack && (await inUse()) >= ENVIRONMENT_LIMIT ? "too_many" : "in_use";
    },
    routinesOf,
  };
}

/** Whoever is brought back counts among those in use. What is renamed is named by no routine: those know it by its name. */
const SAVE = `UPDATE environments SET name = ?3, status = ?4, revision = ?5, doc = ?6
  WHERE id = ?1 AND revision = ?2
  AND (?4 <> 'active' OR NOT EXISTS (SELECT 1 FROM environments WHERE name = ?3 AND status = 'active' AND id <> ?1))
  AND (?4 <> 'active' OR status = 'active'
    OR (SELECT count(*) FROM environments WHERE status = 'active') < ${ENVIRONMENT_LIMIT})
  AND (name = ?3 OR NOT EXISTS (SELECT 1 FROM routines WHERE routines.environment = environments.name
    AND routines.environment <> 'default'))`;
