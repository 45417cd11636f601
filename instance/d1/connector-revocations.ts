/** Logins of connectors that have ended here and are still to be revoked at their authorization servers, in D1, encrypted. */
export interface RevocationRow {
  id: string;
  connector_id: string;
  /** A `KeptLogin`, sealed for the connector. */
  sealed: string;
  /** How the secret of a client that was given is named; null where it has none. */
  client_secret: string | null;
  /** This one among them. */
  attempts: number;
}

export interface ConnectorRevocations {
  /** Takes up to ten that are due, and puts each off until its next attempt. */
  take(nowMs: number): Promise<RevocationRow[]>;
  /** It is done, or given up. */
  settle(id: string): Promise<void>;
}

/** More than these are not kept: the others end at their servers when they expire. */
const KEPT_AT_MOST = 200;

/**
 * A statement that owes what a login has to be revoked by, while its row is still there; goes into one batch with what deletes it.
 * @param where with `?1` as the connector's id. @param secret what gives the name of the client's secret.
 */
export function oweRevocation(where: string, secret: string): string {
  return `INSERT INTO connector_revocations (id, connector_id, sealed, client_secret, attempts, due_at)
    SELECT connector_id || '.' || lower(hex(randomblob(8))), connector_id, sealed, ${secret}, 0, 0 FROM connector_logins
    WHERE connector_id = ?1 AND ended IS NULL AND (SELECT count(*) FROM connector_revocations) < ${KEPT_AT_MOST} AND ${where}`;
}

export function connectorRevocations(database: D1Database, repeatable: D1Database): ConnectorRevocations {
  return {
    take: async (nowMs) => (await database.prepare(TAKE).bind(nowMs).all<RevocationRow>()).results,
    settle: async (id) => {
      await repeatable.prepare("DELETE FROM connector_revocations WHERE id = ?1").bind(id).run();
    },
  };
}

/** After a minute, ten, an hour, and six. */
const TAKE = `UPDATE connector_revocations SET attempts = attempts + 1,
    due_at = ?1 + CASE attempts WHEN 0 THEN 60000 WHEN 1 THEN 600000 WHEN 2 THEN 3600000 ELSE 21600000 END
  WHERE id IN (SELECT id FROM connector_revocations WHERE due_at <= ?1 ORDER BY due_at, id LIMIT 10)
  RETURNING id, connector_id, sealed, client_secret, attempts`;
