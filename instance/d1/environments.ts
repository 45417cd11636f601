/** Environments as D1 has them, for the worker and for routines' objects. */
import { z } from "zod";
import {
  DEFAULT_ENVIRONMENT,
  DEFAULT_ENVIRONMENT_ID,
  type Environment,
  environmentInputSchema,
  environmentSchema,
  networkLevels,
} from "#protocol/environment.ts";
import { logTrouble } from "#protocol/log.ts";

/** What was saved stays readable when the rules for new ones become stricter. */
const savedEnvironmentSchema = environmentSchema.extend({
  network: z.object({ level: z.enum(networkLevels), allow: z.array(z.string()) }),
  variables: z.record(z.string(), z.string()),
  setup: z.string().nullable(),
});

/** `default` as it is while nobody has changed it. */
export function unchangedDefault(): Environment {
  return {
    ...environmentInputSchema.parse({ name: DEFAULT_ENVIRONMENT }),
    id: DEFAULT_ENVIRONMENT_ID,
    status: "active",
    revision: 0,
    created_at: null,
    created_by: null,
    updated_at: null,
    updated_by: null,
  };
}

/** @returns null for a row that can't be read, because somebody or a later version has changed it: others are not lost with it. */
export function readableEnvironment({ id, doc }: { id: string; doc: string }): Environment | null {
  try {
    return savedEnvironmentSchema.parse(JSON.parse(doc));
  } catch (error) {
    logTrouble("row_unreadable", { id }, error);
    return null;
  }
}

/**
 * The environments of these names, of each the one in use, or else the one that was archived last; null for one whose row can't be
 * read. One query for all.
 */
export async function environmentsNamed(
  binding: D1Database,
  names: readonly string[],
): Promise<ReadonlyMap<string, Environment | null>> {
  const { results } = await binding
    .prepare(NAMED)
    .bind(JSON.stringify(names))
    .all<{ id: string; name: string; doc: string }>();
  const found = results.map((row) => [row.name, readableEnvironment(row)] as const);
  return new Map([[DEFAULT_ENVIRONMENT, unchangedDefault()], ...found]);
}

const NAMED = `SELECT id, name, doc FROM environments WHERE id IN (
  SELECT (SELECT id FROM environments WHERE name = value ORDER BY status = 'active' DESC, id DESC LIMIT 1)
  FROM json_each(?))`;
