/** Whole tables are read by a statement that is kept as text: it gives what Drizzle would. */
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { openDatabase, rowsOf } from "#durable-objects/routine/database.ts";
import { health, routine, schedules } from "#durable-objects/routine/schema.ts";
import { buildRoutine } from "#test/support/api.ts";
import { ownerOf } from "#test/support/objects.ts";

it("reads every column as Drizzle does: JSON, booleans, and what is null", async () => {
  const { id } = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
  await runInDurableObject(ownerOf(id), (_object, { storage }) => {
    const opened = openDatabase(storage);
    if (!opened.ok) throw new Error(opened.refusal.message);
    const database = opened.value;
    storage.sql.exec("UPDATE routine SET token_may_read = 1");
    for (const table of [routine, schedules, health]) {
      expect(rowsOf(database, table)).toEqual(database.select().from(table).all());
    }
    const [row] = rowsOf(database, routine);
    expect(row).toMatchObject({ id, tokenMayRead: true, pausedReason: null });
    expect(row?.definition.triggers).toHaveLength(1);
    expect(rowsOf(database, schedules)).toHaveLength(1);
  });
});
