/**
 * The roster: which routines there are, and in which jurisdiction the instance's objects live. One object, apart from D1, so
 * that the index in D1 can be made again when D1 is lost. It lives in no jurisdiction itself, because the instance's
 * jurisdiction is looked up here. It holds ids and the jurisdiction's name, and nothing that people wrote.
 */
import { DurableObject } from "cloudflare:workers";
import { and, asc, eq, gt, isNull, sql } from "drizzle-orm";
import { type DrizzleSqliteDODatabase, drizzle } from "drizzle-orm/durable-sqlite";
import type { RosterForRoutine } from "#instance/object-contracts.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import migrations from "../../migrations/roster-object/migrations.js";
import { migrate } from "../migrate.ts";
import { facts, routines } from "./schema.ts";

/** A page of the routines that live, by id. */
export interface RosterPage {
  ids: string[];
  /** The id after which the next page begins; null on the last page. */
  next: string | null;
}

const JURISDICTION = "jurisdiction";
/** Up to which id D1's routines have been taken in; empty when they are to be looked at from the first on. */
const FILLED_UP_TO = "filled_up_to";
/** When all of them had been, in Unix milliseconds. */
const FILLED_AT = "filled_at";
/**
 * Then it begins anew: a worker of a version without a roster may have made routines, while a deploy went on or was taken
 * back.
 */
const FILLED_AGAIN_MS = 24 * 3_600_000;

export class RosterObject extends DurableObject<ObjectEnv> implements RosterForRoutine {
  #opened: DrizzleSqliteDODatabase<Record<string, never>> | null = null;

  /** Enters routines. Entered twice, or after its deletion, a routine changes nothing. */
  enter(ids: readonly string[]): void {
    this.#database.run(
      sql`INSERT INTO ${routines} (id) SELECT value FROM ${given(ids)} WHERE true ON CONFLICT DO NOTHING`,
    );
  }

  /** Notes that routines have been deleted, also such as were never entered. */
  remove(ids: readonly string[]): void {
    this.#database.run(sql`
      INSERT INTO ${routines} (id, deleted_at) SELECT value, ${Date.now()} FROM ${given(ids)} WHERE true
      ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at WHERE deleted_at IS NULL`);
  }

  /** @param after the last of the page before; "" for the first page. */
  page(after: string, limit: number): RosterPage {
    const alive = and(gt(routines.id, after), isNull(routines.deletedAt));
    const found = this.#database
      .select()
      .from(routines)
      .where(alive)
      .orderBy(asc(routines.id))
      .limit(limit + 1)
      .all();
    const ids = found.slice(0, limit).map(({ id }) => id);
    return { ids, next: found.length > limit ? (ids.at(-1) ?? null) : null };
  }

  /** Whether there is a routine with this key in its ids, or was before it was deleted. @param ownerKey see `ownerKeyOf`. */
  hasOwner(ownerKey: string): boolean {
    return this.#database.select().from(routines).where(eq(routines.ownerKey, ownerKey)).get() !== undefined;
  }

  /** After which of D1's routines to go on with taking in those that are not known here; null when all are in, for a day. */
  fillAfter(): string | null {
    const isRecent = Date.now() - Number(this.#fact(FILLED_AT) ?? 0) < FILLED_AGAIN_MS;
    return isRecent ? null : (this.#fact(FILLED_UP_TO) ?? "");
  }

  /** Takes in a page of D1's routines. @param ids in their order. @param isLast whether no more follow. */
  fill(ids: readonly string[], isLast: boolean): void {
    this.ctx.storage.transactionSync(() => {
      this.enter(ids);
      this.#note(FILLED_UP_TO, isLast ? "" : (ids.at(-1) ?? ""));
      if (isLast) this.#note(FILLED_AT, String(Date.now()));
    });
  }

  /**
   * In which jurisdiction the instance's objects live: the one in which the first of them was made, for in another every id
   * leads to another object. While there is no routine, it is the one that is configured.
   * @param configured the one of the configuration; null for none. @returns the one that holds.
   */
  jurisdiction(configured: string | null): string | null {
    const known = this.#fact(JURISDICTION);
    const given = configured ?? "";
    if (known !== undefined && (known === given || this.#hasRoutines())) return known === "" ? null : known;
    this.#note(JURISDICTION, given);
    return configured;
  }

  /** Until all routines of D1 have been taken in there may be some that are not known here. */
  #hasRoutines(): boolean {
    return this.#fact(FILLED_AT) === undefined || this.page("", 1).ids.length > 0;
  }

  #fact(name: string): string | undefined {
    return this.#database.select().from(facts).where(eq(facts.name, name)).get()?.value;
  }

  #note(name: string, value: string): void {
    this.#database
      .insert(facts)
      .values({ name, value })
      .onConflictDoUpdate({ target: facts.name, set: { value } })
      .run();
  }

  /** @throws Error while the tables can't be brought up to date: what is to be written here is owed, and comes again. */
  get #database(): DrizzleSqliteDODatabase<Record<string, never>> {
    if (this.#opened !== null) return this.#opened;
    const { storage } = this.ctx;
    const migrated = migrate(storage, "roster", migrations);
    if (!migrated.ok) throw new Error(`migration ${migrated.migration} failed: ${migrated.cause}`);
    this.#opened = drizzle(storage);
    return this.#opened;
  }
}

/** All ids are bound as one text: a statement binds a hundred values at most, and is the same for any number. */
const given = (ids: readonly string[]) => sql`json_each(${JSON.stringify(ids)})`;
