/** Brings the local D1 up to date, with the same table of applied migrations as `wrangler d1 migrations apply`. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Miniflare } from "miniflare";
import { z } from "zod";

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

const TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

const appliedSchema = z.array(z.object({ name: z.string() }));

/**
 * Applies what is missing, in the order of the names; each file with its mark in one transaction.
 *
 * @throws Error that names the file which failed, and why.
 */
export async function migrateD1(database: Database, folder: string): Promise<void> {
  await database.prepare(TABLE).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(appliedSchema.parse(results).map(({ name }) => name));
  const files = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  for (const name of files) {
    if (applied.has(name)) continue;
    const statements = splitStatements(await readFile(path.join(folder, name), "utf8"));
    try {
      await database.batch([
        ...statements.map((statement) => database.prepare(statement)),
        database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
      ]);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      throw new Error(`The local D1 is as it was before migrations/d1/${name}, which failed: ${cause}`);
    }
  }
}

/** The generated files mark the end of each statement. */
function splitStatements(sql: string): string[] {
  return sql
    .split("--> statement-breakpoint")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}
