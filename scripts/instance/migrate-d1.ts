/** Brings the local D1 up to date, with the same table of applied migrations as `wrangler d1 migrations apply`. */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Miniflare } from "miniflare";

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

const TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** In Miniflare's storage: a file for each database, and one with what it knows of them. */
const DATABASES = path.join("d1", "miniflare-D1DatabaseObject");
const NO_DATABASE = "metadata.sqlite";

/**
 * Whether all migrations are applied already, as far as D1's own file tells. To ask D1 itself takes a second: a worker between
 * and the database's object start for it.
 *
 * @param storage Miniflare's folder, which nothing has open.
 */
export function isMigrated(storage: string, folder: string): boolean {
  try {
    const names = readdirSync(path.join(storage, DATABASES));
    const [file, ...others] = names.filter((name) => name.endsWith(".sqlite") && name !== NO_DATABASE);
    if (file === undefined || others.length > 0) return false;
    using database = new DatabaseSync(path.join(storage, DATABASES, file), { readOnly: true });
    const applied = new Set(
      database
        .prepare("SELECT name FROM d1_migrations")
        .all()
        .map((row) => row["name"]),
    );
    return migrationsIn(folder).every((name) => applied.has(name));
  } catch {
    // Whatever is the matter with it, D1 is asked.
    return false;
  }
}

/**
 * Applies what is missing, in the order of the names; each file with its mark in one transaction.
 *
 * @throws Error that names the file which failed, and why.
 */
export async function migrateD1(database: Database, folder: string): Promise<void> {
  await database.prepare(TABLE).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(results.map((row) => row["name"]));
  for (const name of migrationsIn(folder)) {
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

function migrationsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
}

/** The generated files mark the end of each statement. */
function splitStatements(sql: string): string[] {
  return sql
    .split("--> statement-breakpoint")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}
