/** The schema of D1 for a file of tests: by the real migrations once, and for the files after it in the same isolate in one step. */
import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** What the migrations have made of an empty database. */
let made: D1PreparedStatement[] | undefined;

/** Needs an empty database. */
export async function migrateD1(): Promise<void> {
  if (made !== undefined) {
    await env.DB.batch(made);
    return;
  }
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
  const { results } = await env.DB.prepare(
    "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY rowid",
  ).all<{ type: string; name: string; sql: string }>();
  const rows = results.filter(({ type }) => type === "table").map(({ name }) => insertsOf(name));
  made = [...results.map(({ sql }) => env.DB.prepare(sql)), ...(await Promise.all(rows)).flat()];
}

/** Statements that put into a table what the migrations have put there. */
async function insertsOf(table: string): Promise<D1PreparedStatement[]> {
  const { results } = await env.DB.prepare(`SELECT * FROM "${table}"`).all();
  return results.map((row) => {
    const columns = Object.keys(row).map((column) => `"${column}"`);
    const marks = columns.map(() => "?");
    return env.DB.prepare(`INSERT INTO "${table}" (${columns}) VALUES (${marks})`).bind(...Object.values(row));
  });
}
