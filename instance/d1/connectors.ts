/** Connectors as D1 has them, for the worker and for routines' objects. */
import {
  type Connector,
  connectorStateSchema,
  type StoredConnector,
  storedConnectorSchema,
  UNCHECKED,
} from "#protocol/connector.ts";
import { connectorLoginSchema } from "#protocol/connector-oauth.ts";
import { logTrouble } from "#protocol/log.ts";
import { timestamp } from "#protocol/time.ts";

export interface ConnectorRow {
  id: string;
  doc: string;
  state: string;
  last_used_at: number | null;
  /** What is shown of its login. */
  login: string | null;
}

/** What a `ConnectorRow` is read by, of the table `connectors`. */
export const CONNECTOR_COLUMNS = `id, name, doc, state, last_used_at, (SELECT shown FROM connector_logins
  WHERE connector_id = connectors.id AND ended IS NULL) AS login`;

/** @returns null for a row that can't be read, because somebody or a later version has changed it: others are not lost with it. */
export function readableConnector({ id, doc, state, last_used_at, login }: ConnectorRow): Connector | null {
  try {
    const { version: _form, ...stored } = storedConnectorSchema.parse(JSON.parse(doc));
    const seen = connectorStateSchema.safeParse(JSON.parse(state));
    const used = { last_used_at: last_used_at === null ? null : timestamp(last_used_at) };
    const loggedIn = { login: login === null ? null : connectorLoginSchema.parse(JSON.parse(login)) };
    return { ...stored, ...(seen.success ? seen.data : UNCHECKED), ...loggedIn, ...used };
  } catch (error) {
    logTrouble("row_unreadable", { id }, error);
    return null;
  }
}

/** What is kept of one: its definition, without what was seen of its server. */
export function storedConnector(connector: Connector): StoredConnector {
  const { id, name, url, auth, revision, created_at, created_by, updated_at, updated_by } = connector;
  return { version: 1, id, name, url, auth, revision, created_at, created_by, updated_at, updated_by };
}

/** The connectors of these names; null for one whose row can't be read. One query for all. */
export async function connectorsNamed(
  binding: D1Database,
  names: readonly string[],
): Promise<ReadonlyMap<string, Connector | null>> {
  if (names.length === 0) return new Map();
  const { results } = await binding.prepare(NAMED).bind(JSON.stringify(names)).all<ConnectorRow & { name: string }>();
  return new Map(results.map((row) => [row.name, readableConnector(row)] as const));
}

const NAMED = `SELECT ${CONNECTOR_COLUMNS} FROM connectors WHERE name IN (SELECT value FROM json_each(?1))`;
