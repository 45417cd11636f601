/** When the parts of an instance that nobody calls last showed that they work, in D1. Moments are Unix milliseconds. */
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { heartbeats as table } from "#instance/d1/schema.ts";
import type { ProbedQueue } from "../bindings.ts";

export type HeartbeatName = "sweep" | ProbedQueue;

export interface Heartbeats {
  note(name: HeartbeatName, atMs: number): Promise<void>;
  /** @returns null when it has never shown itself. */
  last(name: HeartbeatName): Promise<number | null>;
}

export function heartbeats(binding: D1Database): Heartbeats {
  const database = drizzle(binding);
  return {
    note: async (name, at) => {
      await database
        .insert(table)
        .values({ name, at })
        .onConflictDoUpdate({ target: table.name, set: { at: sql`max(${table.at}, ${at})` } });
    },
    last: async (name) => {
      const row = await database.select({ at: table.at }).from(table).where(eq(table.name, name)).get();
      return row?.at ?? null;
    },
  };
}
