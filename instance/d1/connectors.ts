/** Connectors as D1 has them, for the worker and for routines' objects. */
import {
  type Connector,
  connectorStateSchema,
  type StoredConnector,
  storedConnectorSchema,
  UNCHECKED,
} from "#protocol/connector.ts";
import { logTrouble } from "#protocol/log.ts";
import { timestamp } from "#protocol/time.ts";

export interface ConnectorRow {
  id: string;
  doc: string;
  state: string;
  last_used_at: number | null;
}

/** @returns null for a row that can't be read, because somebody or a later version has changed it: others are not lost with it. */
export function readableConnector({ id, doc, state, last_used_at }: ConnectorRow): Connector | null {
  try {
    const { version: _form, ...stored } = storedConnectorSchema.parse(JSON.parse(doc));
    const seen = connectorStateSchema.safeParse(JSON.parse(state));
    const used = { last_used_at: last_used_at === null ? null : timestamp(last_used_at) };
    return { ...stored, ...(seen.success ? seen.data : UNCHECKED), ...used };
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

const NAMED =
  "SELECT id, name, doc, state, last_used_at FROM connectors WHERE name IN (SELECT value FROM json_each(?1))";
