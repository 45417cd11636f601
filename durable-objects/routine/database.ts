/** The object's own SQLite: opened only where a routine lives, so that asking after an unknown id leaves nothing behind. */
import { type DrizzleSqliteDODatabase, drizzle } from "drizzle-orm/durable-sqlite";
import migrations from "../../migrations/routine-object/migrations.js";
import { migrate } from "../migrate.ts";

export type Database = DrizzleSqliteDODatabase<Record<string, never>>;

export interface NotMigrated {
  ok: false;
  refusal: { code: "storage_not_migrated"; message: string };
}

/** Whether tables have been made here before. Reading the catalogue of an empty database stores nothing. */
export function hasTables(storage: DurableObjectStorage): boolean {
  return storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'routine'").toArray().length > 0;
}

/** Makes the tables, or brings them up to date. */
export function openDatabase(storage: DurableObjectStorage): { ok: true; value: Database } | NotMigrated {
  const migrated = migrate(storage, "routine", migrations);
  if (migrated.ok) return { ok: true, value: drizzle(storage) };
  const message = `The routine's storage is not up to date: migration ${migrated.migration} failed.`;
  return { ok: false, refusal: { code: "storage_not_migrated", message } };
}
