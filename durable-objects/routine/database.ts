/** The object's own SQLite: opened only where a routine lives, so that asking after an unknown id leaves nothing behind. */
import { getTableColumns, getTableName } from "drizzle-orm";
import { type DrizzleSqliteDODatabase, drizzle } from "drizzle-orm/durable-sqlite";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import migrations from "../../migrations/routine-object/migrations.js";
import { migrate } from "../migrate.ts";

export type Database = DrizzleSqliteDODatabase<Record<string, never>> & { $client: Pick<DurableObjectStorage, "sql"> };

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

/** Statements that read whole tables, by table. */
const reads = new Map<SQLiteTable, string>();

/**
 * All rows of a small table. The statement is built once for all objects: Drizzle would build it for each that is opened, which
 * takes many times as long as to run it.
 */
export function rowsOf<Table extends SQLiteTable>({ $client }: Database, table: Table): Table["$inferSelect"][] {
  const columns = Object.entries(getTableColumns(table));
  const read = reads.get(table) ?? readOf(table);
  reads.set(table, read);
  return [...$client.sql.exec(read).raw()].map((values) => {
    const row = columns.map(([key, column], index) => [key, shown(column, values[index])]);
    return Object.fromEntries(row) as Table["$inferSelect"];
  });
}

function readOf(table: SQLiteTable): string {
  const names = Object.values(getTableColumns(table)).map(({ name }) => `"${name}"`);
  return `SELECT ${names.join(", ")} FROM "${getTableName(table)}"`;
}

function shown(column: SQLiteColumn, value: unknown): unknown {
  return value === null ? null : column.mapFromDriverValue(value);
}
