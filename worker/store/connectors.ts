/** Connectors in D1, for people and for the proxies: each change is one statement that says what it depends on. */
import { and, desc, gte, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { oweRevocation } from "#instance/d1/connector-revocations.ts";
import {
  CONNECTOR_COLUMNS,
  type ConnectorRow,
  connectorsNamed,
  readableConnector,
  storedConnector,
} from "#instance/d1/connectors.ts";
import { connectors as table } from "#instance/d1/connectors-schema.ts";
import { pageBounds, pageEndSchema } from "#instance/d1/page-bounds.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import { CONNECTOR_LIMIT, type Connector, type ConnectorState } from "#protocol/connector.ts";
import { connectorIdSchema } from "#protocol/ids.ts";
import { boundTo } from "#rules/connectors/oauth-login.ts";
import type { Database } from "../parties/database.ts";

/** Why a change did not go through: another change came first, the name is another's, or routines name it. */
export type Unsaved = "changed" | "taken" | "in_use";

export interface Connectors {
  /** Newest first, without those whose rows can't be read. */
  list(page: PageRequest): Promise<Page<Connector>>;
  /** @param key an id, or a name. */
  find(key: string): Promise<Connector | null>;
  /** See `connectorsNamed`. */
  named(names: readonly string[]): Promise<ReadonlyMap<string, Connector | null>>;
  add(connector: Connector): Promise<"added" | "taken" | "too_many">;
  /** Saves a change. @param before as it was read: nothing is saved when it has been changed since. */
  save(before: Connector, after: Connector): Promise<"saved" | Unsaved>;
  /** Keeps what was seen of the server of this revision: of a connector that has been changed meanwhile it tells nothing. */
  keepState(connector: Pick<Connector, "id" | "revision">, state: ConnectorState): Promise<void>;
  /** Notes that a run calls it, unless that was noted within the last minute. */
  noteUse(id: string, nowMs: number): Promise<void>;
  remove(id: string): Promise<"removed" | "missing" | "in_use">;
  /** Ids of routines that name it. */
  routinesOf(name: string, limit: number): Promise<string[]>;
}

const SHOWN_LOGIN = sql<string | null>`(SELECT shown FROM connector_logins
  WHERE connector_id = ${table.id} AND ended IS NULL)`;
/** A use is noted to within a minute. */
const USE_MS = 60_000;
/** By an index that has routines with connectors alone: its condition is repeated to the letter. */
const NAMES_IT = `doc ->> '$.connectors' <> '[]' AND EXISTS (
  SELECT 1 FROM json_each(routines.doc, '$.connectors') AS given
  WHERE given.value = ?1 OR (given.type = 'object' AND given.value ->> '$.name' = ?1))`;

export function connectors(database: Database): Connectors {
  const db = drizzle(database);
  const find = async (key: string) => {
    const column = connectorIdSchema.safeParse(key).success ? "id" : "name";
    const row = await database
      .prepare(`SELECT ${CONNECTOR_COLUMNS} FROM connectors WHERE ${column} = ?1`)
      .bind(key)
      .first<ConnectorRow>();
    return row === null ? null : readableConnector(row);
  };
  const holder = (name: string) =>
    database.prepare("SELECT id FROM connectors WHERE name = ?1").bind(name).first<{ id: string }>();
  const docOf = (connector: Connector) => JSON.stringify(storedConnector(connector));
  return {
    list: async ({ limit, cursor }) => {
      const where = cursor === null ? undefined : lt(table.id, cursor);
      const query = pageBounds({ table, key: table.id, doc: table.state, where, limit });
      const { last, has_more } = pageEndSchema.parse(await db.get(query));
      const rows = await db
        .select({
          id: table.id,
          doc: table.doc,
          state: table.state,
          last_used_at: table.lastUsedAt,
          login: SHOWN_LOGIN,
        })
        .from(table)
        .where(and(where, last === null ? sql`0` : gte(table.id, String(last))))
        .orderBy(desc(table.id));
      return {
        data: rows.flatMap((row) => readableConnector(row) ?? []),
        next_cursor: has_more ? String(last) : null,
      };
    },
    find,
    named: (names) => connectorsNamed(database, names),
    add: async (connector) => {
      const { id, name, revision } = connector;
      const { meta } = await database.prepare(ADD).bind(id, name, revision, docOf(connector), stateOf(connector)).run();
      if (meta.changes > 0) return "added";
      return (await holder(name)) === null ? "too_many" : "taken";
    },
    save: async (before, after) => {
      const { id, name, revision } = after;
      const doc = docOf(after);
      const [saved] = await database.batch([
        database.prepare(SAVE).bind(before.name, id, before.revision, name, revision, doc, stateOf(after)),
        database.prepare(OWE_CHANGED).bind(id, boundTo(after), doc, secretNameOf(before)),
        database.prepare(DROP_LOGIN).bind(id, boundTo(after), doc),
      ]);
      if (saved !== undefined && saved.meta.changes > 0) return "saved";
      if ((await find(id))?.revision !== before.revision) return "changed";
      const other = await holder(name);
      return other !== null && other.id !== id ? "taken" : "in_use";
    },
    keepState: async ({ id, revision }, state) => {
      await database.repeatable
        .prepare("UPDATE connectors SET state = ?3 WHERE id = ?1 AND revision = ?2")
        .bind(id, revision, JSON.stringify(state))
        .run();
    },
    noteUse: async (id, nowMs) => {
      await database.repeatable
        .prepare("UPDATE connectors SET last_used_at = ?2 WHERE id = ?1 AND coalesce(last_used_at, 0) < ?3")
        .bind(id, nowMs, nowMs - USE_MS)
        .run();
    },
    remove: async (id) => {
      const found = await database
        .prepare("SELECT name, doc ->> '$.auth.client_secret' AS secret FROM connectors WHERE id = ?1")
        .bind(id)
        .first<{ name: string; secret: string | null }>();
      if (found === null) return "missing";
      const [removed] = await database.batch([
        database.prepare(REMOVE).bind(found.name, id),
        database.prepare(OWE_ORPHAN).bind(id, found.secret),
        database.prepare(DROP_ORPHAN).bind(id),
      ]);
      if (removed !== undefined && removed.meta.changes > 0) return "removed";
      return (await holder(found.name))?.id === id ? "in_use" : "missing";
    },
    routinesOf: async (name, limit) => {
      const { results } = await database
        .prepare(`SELECT id FROM routines WHERE ${NAMES_IT} ORDER BY id LIMIT ?2`)
        .bind(name, limit)
        .all<{ id: string }>();
      return results.map(({ id }) => id);
    },
  };
}

function secretNameOf({ auth }: Connector): string | null {
  return auth.type === "oauth" ? (auth.client_secret ?? null) : null;
}

function stateOf({ status, status_detail, checked_at, server, tools }: Connector): string {
  return JSON.stringify({ status, status_detail, checked_at, server, tools } satisfies ConnectorState);
}

const ADD = `INSERT INTO connectors (id, name, revision, doc, state) SELECT ?1, ?2, ?3, ?4, ?5
  WHERE (SELECT count(*) FROM connectors) < ${CONNECTOR_LIMIT} ON CONFLICT DO NOTHING`;
/** What is renamed is named by no routine: those know it by its name. */
const SAVE = `UPDATE connectors SET name = ?4, revision = ?5, doc = ?6, state = ?7 WHERE id = ?2 AND revision = ?3
  AND NOT EXISTS (SELECT 1 FROM connectors AS other WHERE other.name = ?4 AND other.id <> ?2)
  AND (?4 = ?1 OR NOT EXISTS (SELECT 1 FROM routines WHERE ${NAMES_IT}))`;
const REMOVE = `DELETE FROM connectors WHERE id = ?2 AND name = ?1 AND NOT EXISTS (SELECT 1 FROM routines WHERE ${NAMES_IT})`;
/** A login is for one address and client: with others, once they are saved, it is none. */
const IS_OF_ANOTHER = "bound_to <> ?2 AND EXISTS (SELECT 1 FROM connectors WHERE id = ?1 AND doc = ?3)";
const IS_ORPHAN = "NOT EXISTS (SELECT 1 FROM connectors WHERE id = ?1)";
const OWE_CHANGED = oweRevocation(IS_OF_ANOTHER, "?4");
const OWE_ORPHAN = oweRevocation(IS_ORPHAN, "?2");
const DROP_LOGIN = `DELETE FROM connector_logins WHERE connector_id = ?1 AND ${IS_OF_ANOTHER}`;
const DROP_ORPHAN = `DELETE FROM connector_logins WHERE connector_id = ?1 AND ${IS_ORPHAN}`;
