/** Each file of tests begins with nothing: the platform's `reset` by itself leaves what is not in memory. */
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { rosterObject } from "#instance/objects.ts";
import { buildRoutine, fired } from "#test/support/api.ts";
import { emptyStorage } from "#test/support/empty-storage.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { defaultPool } from "#test/support/objects.ts";

const TABLES = "SELECT name FROM sqlite_master WHERE name IN ('routines', 'runs', 'deliveries')";

/** How much there is of what outlives an eviction. */
async function stored(): Promise<Record<string, number>> {
  const pool = await runInDurableObject(defaultPool(), async (_object, { storage }) => ({
    leases: storage.sql.exec("SELECT 1 FROM leases").toArray().length,
    runners: storage.sql.exec("SELECT 1 FROM runners").toArray().length,
    alarms: (await storage.getAlarm()) === null ? 0 : 1,
  }));
  const { ids } = await rosterObject(env).page("", 10);
  const tables = (await env.DB.prepare(TABLES).all()).results.length;
  return { ...pool, tables, routines: ids.length, bodies: (await env.BODIES.list()).objects.length };
}

it("leaves nothing of what is not in memory", async () => {
  const runner = await FakeRunner.join();
  const { run_id } = await fired(await buildRoutine());
  expect((await runner.accept()).lease.run_id).toBe(run_id);
  await env.BODIES.put("body", "of a delivery");
  expect(await stored()).toEqual({ leases: 1, runners: 1, alarms: 1, tables: 3, routines: 1, bodies: 1 });
  await abortAllDurableObjects();
  await emptyStorage();
  expect(await stored()).toEqual({ leases: 0, runners: 0, alarms: 0, tables: 0, routines: 0, bodies: 0 });
});
