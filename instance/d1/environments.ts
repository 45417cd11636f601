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

/** @param doc as a row has it. @throws Error when it can't be read. */
export function readEnvironment(doc: string): Environment {
  return savedEnvironmentSchema.parse(JSON.parse(doc));
}

/** The environments of these names, of each the one in use, or else the one that was archived last. One query for all. */
export async function environmentsNamed(
  binding: D1Database,
  names: readonly string[],
): Promise<ReadonlyMap<string, Environment>> {
  const { results } = await binding.prepare(NAMED).bind(JSON.stringify(names)).all<{ doc: string }>();
  const found = results.map(({ doc }) => readEnvironment(doc));
  const entries = [unchangedDefault(), ...found].map((one) => [one.name, one] as const);
  return new Map(entries);
}

const NAMED = `SELECT doc FROM environments WHERE id IN (
  SELECT (SELECT id FROM environments WHERE name = value ORDER BY status = 'active' DESC, id DESC LIMIT 1)
  FROM json_each(?))`;
