/** The pool's own SQLite. */
import { type DrizzleSqliteDODatabase, drizzle } from "drizzle-orm/durable-sqlite";
import migrations from "../../migrations/pool-object/migrations.js";
import { type Migrated, migrate } from "../migrate.ts";

export type PoolDatabase = DrizzleSqliteDODatabase<Record<string, never>>;

export function poolDatabase(storage: DurableObjectStorage): PoolDatabase {
  return drizzle(storage);
}

export function migratePool(storage: DurableObjectStorage): Migrated {
  return migrate(storage, "pool", migrations);
}
