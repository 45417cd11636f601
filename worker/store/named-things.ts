/** Which of the things that routines name there are: one query for each kind that is named, however many routines ask. */
import { type SecretScope, secretScopeSchema } from "#protocol/secret.ts";
import { parseJson } from "#rules/json.ts";

export interface NamedThings {
  /** @param names ids or names. @returns those that there are. */
  routines(names: readonly string[]): Promise<Set<string>>;
  /** @returns who may use each that there is; null where that can't be read. */
  secrets(names: readonly string[]): Promise<Map<string, SecretScope | null>>;
}

export function namedThings(database: D1Database): NamedThings {
  const ask = async <Row>(sql: string, names: readonly string[]) => {
    if (names.length === 0) return [];
    const { results } = await database.prepare(sql).bind(JSON.stringify(names)).all<Row>();
    return results;
  };
  return {
    routines: async (names) => {
      const rows = await ask<{ asked: string }>(ROUTINES, names);
      return new Set(rows.map(({ asked }) => asked));
    },
    secrets: async (names) => {
      const rows = await ask<{ name: string; scope: string }>(SECRETS, names);
      return new Map(rows.map(({ name, scope }) => [name, secretScopeSchema.safeParse(parseJson(scope)).data ?? null]));
    },
  };
}

/** By an index for either, whose expression this has to have to the letter. */
const ROUTINES = `SELECT value AS asked FROM json_each(?)
  WHERE EXISTS (SELECT 1 FROM routines WHERE id = value) OR EXISTS (SELECT 1 FROM routines WHERE doc ->> '$.name' = value)`;
const SECRETS = "SELECT name, scope FROM secrets WHERE name IN (SELECT value FROM json_each(?))";
