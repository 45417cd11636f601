/** Logins of connectors in D1, encrypted, and those that have begun. */
import { oweRevocation } from "./connector-revocations.ts";

export interface LoginRow {
  connector_id: string;
  bound_to: string;
  sealed: string;
  version: number;
  /** JSON: a `ConnectorLogin`. */
  shown: string;
  ended: string | null;
  wanted_scope: string | null;
  renewing_until: number | null;
}

export interface StateRow {
  hash: string;
  connector_id: string;
  made_by: string | null;
  sealed: string;
  expires_at: number;
}

/** Which of a login is written: a later version is another. */
type Which = Pick<LoginRow, "connector_id" | "version">;

export interface ConnectorLogins {
  find(connectorId: string): Promise<LoginRow | null>;
  /** Puts a login in the place of the one before, unless the connector has been changed or deleted since. */
  put(
    login: Omit<LoginRow, "version" | "ended" | "wanted_scope" | "renewing_until">,
    revision: number,
  ): Promise<boolean>;
  /** Takes the renewal of this version for itself. @returns false where it is another's, or done. */
  beginRenewal(which: Which, nowMs: number, untilMs: number): Promise<boolean>;
  /** Lets another try. */
  giveUpRenewal(which: Which): Promise<void>;
  /** Writes what a renewal has made; `ended` says why there is no login any more. A version that has passed stays as it is. */
  renew(which: Which, written: Pick<LoginRow, "sealed" | "shown" | "ended">): Promise<void>;
  noteWanted(connectorId: string, scope: string): Promise<void>;
  /** What it has to be revoked by is owed from then on. */
  remove(connectorId: string): Promise<void>;
  /** In the order of the connectors' ids. */
  sealedAfter(connectorId: string, limit: number): Promise<LoginRow[]>;
  /** The same, encrypted anew. @returns false where it has been written since. */
  replaceSealed(before: LoginRow, sealed: string): Promise<boolean>;
  beginState(state: StateRow, nowMs: number): Promise<void>;
  /** Uses a state up. @param madeBy the sign-in that brings it; null for the owner's token. @returns null for none of its own. */
  endState(hash: string, madeBy: string | null, nowMs: number): Promise<StateRow | null>;
}

const COLUMNS = "connector_id, bound_to, sealed, version, shown, ended, wanted_scope, renewing_until";

/** @param repeatable the same database, for writes that may be done twice. */
export function connectorLogins(database: D1Database, repeatable: D1Database): ConnectorLogins {
  return {
    find: (id) =>
      database.prepare(`SELECT ${COLUMNS} FROM connector_logins WHERE connector_id = ?1`).bind(id).first<LoginRow>(),
    put: async ({ connector_id, bound_to, sealed, shown }, revision) => {
      const put = repeatable.prepare(PUT).bind(connector_id, bound_to, sealed, shown, revision);
      return (await put.all()).results.length > 0;
    },
    beginRenewal: async ({ connector_id, version }, nowMs, untilMs) => {
      const begun = await database.prepare(BEGIN).bind(connector_id, version, nowMs, untilMs).run();
      return begun.meta.changes > 0;
    },
    giveUpRenewal: async ({ connector_id, version }) => {
      await repeatable.prepare(GIVE_UP).bind(connector_id, version).run();
    },
    renew: async ({ connector_id, version }, { sealed, shown, ended }) => {
      await repeatable.prepare(RENEW).bind(connector_id, version, sealed, shown, ended).run();
    },
    noteWanted: async (id, scope) => {
      await repeatable
        .prepare("UPDATE connector_logins SET wanted_scope = ?2 WHERE connector_id = ?1")
        .bind(id, scope)
        .run();
    },
    remove: async (id) => {
      await repeatable.batch([
        repeatable.prepare(OWE).bind(id),
        repeatable.prepare("DELETE FROM connector_logins WHERE connector_id = ?1").bind(id),
      ]);
    },
    sealedAfter: async (id, limit) => {
      const { results } = await database.prepare(AFTER).bind(id, limit).all<LoginRow>();
      return results;
    },
    replaceSealed: async (before, sealed) => {
      const { meta } = await repeatable
        .prepare("UPDATE connector_logins SET sealed = ?3 WHERE connector_id = ?1 AND sealed IN (?2, ?3)")
        .bind(before.connector_id, before.sealed, sealed)
        .run();
      return meta.changes > 0;
    },
    beginState: async ({ hash, connector_id, made_by, sealed, expires_at }, nowMs) => {
      await repeatable.batch([
        repeatable.prepare("DELETE FROM connector_login_states WHERE expires_at <= ?1").bind(nowMs),
        repeatable.prepare(BEGIN_STATE).bind(hash, connector_id, made_by, sealed, expires_at),
      ]);
    },
    // Once: a state whose end got no answer may be used up.
    endState: (hash, madeBy, nowMs) => database.prepare(END_STATE).bind(hash, madeBy, nowMs).first<StateRow>(),
  };
}

const OWE = oweRevocation("1", "(SELECT doc ->> '$.auth.client_secret' FROM connectors WHERE id = ?1)");
const PUT = `INSERT INTO connector_logins (connector_id, bound_to, sealed, version, shown)
  SELECT ?1, ?2, ?3, 1, ?4 WHERE EXISTS (SELECT 1 FROM connectors WHERE id = ?1 AND revision = ?5)
  ON CONFLICT (connector_id) DO UPDATE SET bound_to = excluded.bound_to, sealed = excluded.sealed,
    version = version + 1, shown = excluded.shown, ended = NULL, wanted_scope = NULL, renewing_until = NULL
  RETURNING connector_id`;
const BEGIN = `UPDATE connector_logins SET renewing_until = ?4
  WHERE connector_id = ?1 AND version = ?2 AND ended IS NULL AND coalesce(renewing_until, 0) <= ?3`;
const GIVE_UP = "UPDATE connector_logins SET renewing_until = NULL WHERE connector_id = ?1 AND version = ?2";
const RENEW = `UPDATE connector_logins SET sealed = ?3, shown = ?4, ended = ?5, version = version + 1, renewing_until = NULL
  WHERE connector_id = ?1 AND version = ?2`;
const AFTER = `SELECT ${COLUMNS} FROM connector_logins WHERE connector_id > ?1 ORDER BY connector_id LIMIT ?2`;
const BEGIN_STATE = `INSERT OR IGNORE INTO connector_login_states (hash, connector_id, made_by, sealed, expires_at)
  VALUES (?1, ?2, ?3, ?4, ?5)`;
const END_STATE = `DELETE FROM connector_login_states
  WHERE hash = ?1 AND (made_by IS NULL OR made_by = ?2) AND expires_at > ?3
  RETURNING hash, connector_id, made_by, sealed, expires_at`;
