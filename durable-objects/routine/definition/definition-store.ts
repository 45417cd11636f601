/** The routine's definition, its revisions and its fire token, in the object's SQLite. */
import { and, desc, eq, gte, lt, sql } from "drizzle-orm";
import { pageBounds, pageEndSchema } from "#instance/d1/page-bounds.ts";
import type { Actor } from "#protocol/actor.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import type { Revision, RoutineDefinition, RoutineInput, RoutinePatch } from "#protocol/routine.ts";
import { timestamp } from "#protocol/time.ts";
import type { Trigger } from "#protocol/triggers.ts";
import { completeDefinition } from "#rules/routine/saved-definition.ts";
import { type Database, rowsOf } from "../database.ts";
import { revisions, routine } from "../schema.ts";
import type { Remembered, Tx, Work } from "../work.ts";

export type RoutineRow = typeof routine.$inferSelect;

export class DefinitionStore {
  readonly #database: Database;
  readonly #row: Remembered<RoutineRow | null>;

  constructor(database: Database, work: Work) {
    this.#database = database;
    this.#row = work.remember(() => {
      const [row] = rowsOf(database, routine);
      return row === undefined ? null : { ...row, definition: completeDefinition(row.definition) };
    });
  }

  row(): RoutineRow | null {
    return this.#row.get();
  }

  /** Null also when it has been deleted. */
  living(): RoutineRow | null {
    const row = this.row();
    return row?.status === "deleted" ? null : row;
  }

  /** The newest definition. @throws Error when there is no routine: callers have asked for `row` before. */
  current(): RoutineDefinition {
    const row = this.row();
    if (row === null) throw new Error("no routine lives in this object");
    return row.definition;
  }

  /** The definition that a run was admitted with. */
  atRevision(revision: number): RoutineDefinition {
    if (this.row()?.revision === revision) return this.current();
    const row = this.#database.select().from(revisions).where(eq(revisions.revision, revision)).get();
    return row === undefined ? this.current() : completeDefinition(row.definition);
  }

  /** @param triggers those of the input, prepared. */
  create(tx: Tx, id: string, input: RoutineInput, triggers: Trigger[], actor: Actor): RoutineRow {
    const { nowMs } = tx;
    const { model = null, session_key = null, gate = null } = input;
    const definition = { ...input, model, session_key, gate, triggers };
    const row = tx.database
      .insert(routine)
      .values({ id, revision: 1, definition, status: "active", createdAt: nowMs, updatedAt: nowMs, version: 1 })
      .returning()
      .get();
    tx.database
      .insert(revisions)
      .values({ revision: 1, at: nowMs, ...madeBy(actor), definition })
      .run();
    this.#row.set(tx, row);
    return row;
  }

  /** Since when, in Unix milliseconds, every revision has had a repository. @param isIt whether an address is the one. */
  repositorySince(isIt: (url: string) => boolean): number {
    let since = Number.MAX_SAFE_INTEGER;
    for (const { at, definition } of this.#database.select().from(revisions).orderBy(desc(revisions.revision)).all()) {
      if (!definition.repositories.some(({ url }) => isIt(url))) break;
      since = at;
    }
    return since;
  }

  /** Makes a new revision. @param triggers those of the patch, prepared; null to keep those that there are. */
  change(tx: Tx, row: RoutineRow, patch: RoutinePatch, triggers: Trigger[] | null, actor: Actor): RoutineRow {
    const { if_revision: _checked, triggers: _prepared, ...settings } = patch;
    const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    const definition: RoutineDefinition = {
      ...row.definition,
      ...given,
      triggers: triggers ?? row.definition.triggers,
    };
    const revision = row.revision + 1;
    tx.database
      .insert(revisions)
      .values({ revision, at: tx.nowMs, ...madeBy(actor), definition })
      .run();
    return this.update(tx, row, { revision, definition });
  }

  /**
   * A new version of the row, for the index. A new date as well when it changes what the owner has set: the definition, or
   * whether it is paused. A token, a secret, and what is learned of a repository are none of that.
   */
  update(tx: Tx, row: RoutineRow, change: Partial<RoutineRow>): RoutineRow {
    const isSet = change.definition !== undefined || change.status !== undefined;
    const updatedAt = isSet ? tx.nowMs : row.updatedAt;
    const saved = { ...row, ...change, updatedAt, version: row.version + 1 };
    tx.database.update(routine).set(saved).where(eq(routine.id, row.id)).run();
    this.#row.set(tx, saved);
    return saved;
  }

  /** Revisions, newest first; the cursor is the number of the last on the page before. */
  list({ limit, cursor }: PageRequest): Page<Revision> {
    const before = cursor === null ? Number.NaN : Number(cursor);
    const where = Number.isNaN(before) ? undefined : lt(revisions.revision, before);
    const query = pageBounds({ table: revisions, key: revisions.revision, doc: revisions.definition, where, limit });
    const { last, has_more } = pageEndSchema.parse(this.#database.get(query));
    const data = this.#database
      .select()
      .from(revisions)
      .where(and(where, last === null ? sql`0` : gte(revisions.revision, Number(last))))
      .orderBy(desc(revisions.revision))
      .all()
      .map(({ revision, at, by, byKind, byId, definition }) => ({
        revision,
        at: timestamp(at),
        actor: { kind: byKind, id: byId, name: by },
        by,
        definition: completeDefinition(definition),
      }));
    return { data, next_cursor: has_more ? String(last) : null };
  }
}

function madeBy({ kind, id, name }: Actor) {
  return { by: name, byKind: kind, byId: id };
}
