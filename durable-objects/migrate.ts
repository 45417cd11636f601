/**
 * Brings an object's own SQLite up to date. What has been applied is known by its name, not by its age: a migration that
 * was merged late is applied also where newer ones have been.
 */
import { errorText, logTrouble } from "#protocol/log.ts";

/** As drizzle-kit writes it: the SQL of the journal's entry 12 is under `m0012`. */
export interface Migrations {
  journal: { entries: readonly { idx: number; when: number; tag: string }[] };
  migrations: Record<string, string>;
}

/** An object whose migration fails tries again after this long: a repaired version may be there, or the fault gone. */
export const MIGRATE_RETRY_MS = 60_000;

export type Migrated = { ok: true } | { ok: false; migration: string; cause: string };

const STATEMENT_END = "--> statement-breakpoint";
/**
 * The table of Drizzle's migrator, which left `hash` empty and knew a migration by its time. We write its name into `hash`, and
 * into `created_at` when it was applied here; earlier versions wrote the migration's own time.
 */
const APPLIED = "__drizzle_migrations";
const APPLIED_TABLE = `CREATE TABLE IF NOT EXISTS ${APPLIED} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)`;

/**
 * Applies the migrations that are missing, in the journal's order: all of them or, when one fails, none. Names that this
 * version does not know were applied by a newer version, and stay.
 *
 * @param kind of the object, for the log.
 * @returns which one failed, and why; the log has it too.
 */
export function migrate(
  storage: DurableObjectStorage,
  kind: "routine" | "pool" | "roster" | "budget",
  given: Migrations,
): Migrated {
  let current = "";
  try {
    storage.transactionSync(() => {
      const isApplied = readApplied(storage.sql);
      for (const entry of given.journal.entries) {
        if (isApplied(entry)) continue;
        current = entry.tag;
        for (const statement of statementsOf(given, entry.idx)) storage.sql.exec(statement);
        storage.sql.exec(`INSERT INTO ${APPLIED} (hash, created_at) VALUES (?, ?)`, entry.tag, Date.now());
      }
    });
    return { ok: true };
  } catch (error) {
    const cause = errorText(error);
    logTrouble("storage_not_migrated", { kind, migration: current }, error);
    return { ok: false, migration: current, cause };
  }
}

/** When a migration was applied, in Unix milliseconds, or earlier; null where it was not, or under no name. */
export function appliedAtMs(sql: SqlStorage, tag: string): number | null {
  const found = sql.exec<{ at: number }>(`SELECT created_at AS at FROM ${APPLIED} WHERE hash = ?`, tag).toArray();
  return found[0]?.at ?? null;
}

function readApplied(sql: SqlStorage): (entry: { tag: string; when: number }) => boolean {
  sql.exec(APPLIED_TABLE);
  const rows = sql.exec<{ hash: string; created_at: number }>(`SELECT hash, created_at FROM ${APPLIED}`).toArray();
  const names = new Set(rows.map(({ hash }) => hash));
  const times = new Set(rows.filter(({ hash }) => hash === "").map(({ created_at }) => Number(created_at)));
  return ({ tag, when }) => names.has(tag) || times.has(when);
}

function statementsOf({ migrations }: Migrations, idx: number): string[] {
  const text = migrations[`m${String(idx).padStart(4, "0")}`];
  if (text === undefined) throw new Error("its file is not in this version");
  return text
    .split(STATEMENT_END)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}
