/** The object's own SQLite: opened only where a routine lives, so that asking after an unknown id leaves nothing behind. */
import { type DrizzleSqliteDODatabase, drizzle } from "drizzle-orm/durable-sqlite";
import { migrate } from "drizzle-orm/durable-sqlite/migrator";
import migrations from "../migrations/routine-object/migrations.js";
import {
  bursts,
  counters,
  deadlines,
  endpoints,
  idempotencyKeys,
  occurrences,
  repositoryIds,
  revisions,
  runs,
  schedules,
  sessions,
  tickets,
  transcript,
} from "./routine-schema.ts";

export type Database = DrizzleSqliteDODatabase<Record<string, never>>;

/** Whether tables have been made here before. Reading the catalogue of an empty database stores nothing. */
export function hasTables(storage: DurableObjectStorage): boolean {
  return storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'routine'").toArray().length > 0;
}

/** Makes the tables, or brings them up to date. */
export async function openDatabase(storage: DurableObjectStorage): Promise<Database> {
  const database = drizzle(storage);
  await migrate(database, migrations);
  return database;
}

/** Empties everything but the routine's own row, which stays as the tombstone. */
export function purgeTables(database: Database): void {
  const tables = [
    bursts,
    counters,
    deadlines,
    endpoints,
    idempotencyKeys,
    occurrences,
    repositoryIds,
    revisions,
    runs,
    schedules,
    sessions,
    tickets,
    transcript,
  ];
  for (const table of tables) database.delete(table).run();
}
