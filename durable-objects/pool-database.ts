/** The pool's own SQLite. */
import { type DrizzleSqliteDODatabase, drizzle } from "drizzle-orm/durable-sqlite";
import { migrate } from "drizzle-orm/durable-sqlite/migrator";
import migrations from "../migrations/pool-object/migrations.js";

export type PoolDatabase = DrizzleSqliteDODatabase<Record<string, never>>;

export function poolDatabase(storage: DurableObjectStorage): PoolDatabase {
  return drizzle(storage);
}

export async function migratePool(database: PoolDatabase): Promise<void> {
  await migrate(database, migrations);
}
