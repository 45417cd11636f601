/** Lets days pass for a routine's object, and has it go through what it keeps, for tests in workerd that set the clock. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { z } from "zod";
import type { Assembled } from "#durable-objects/routine/assemble.ts";
import { OldRecords } from "#durable-objects/routine/retention/old-records.ts";
import { OldRuns } from "#durable-objects/routine/retention/old-runs.ts";
import { OldSessions } from "#durable-objects/routine/retention/old-sessions.ts";
import { Retention } from "#durable-objects/routine/retention/retention.ts";
import { type Keep, keepIn, keepVariables } from "#instance/keep-variables.ts";
import { ownerOf } from "./objects.ts";

export const DAY_MS = 24 * 3_600_000;

export function passDays(days: number): void {
  vi.setSystemTime(Date.now() + days * DAY_MS);
}

/** Rows of the routine's object. */
export function rowsOf<Row extends Record<string, SqlStorageValue>>(
  routineId: string,
  sql: string,
  ...values: SqlStorageValue[]
): Promise<Row[]> {
  return runInDurableObject(ownerOf(routineId), (_object, { storage }) =>
    storage.sql.exec<Row>(sql, ...values).toArray(),
  );
}

export async function countOf(routineId: string, table: string, where = "1"): Promise<number> {
  const [row] = await rowsOf<{ count: number }>(routineId, `SELECT COUNT(*) AS count FROM ${table} WHERE ${where}`);
  return row?.count ?? 0;
}

/** One ring of the alarm, a second later than the one before. */
export async function ring(routineId: string): Promise<void> {
  vi.setSystemTime(Date.now() + 1_000);
  await runDurableObjectAlarm(ownerOf(routineId));
}

/** Rings until the object has gone through all that it has. @returns how often it rang. */
export async function walk(routineId: string): Promise<number> {
  for (let rings = 1; rings < 1_000; rings += 1) {
    await ring(routineId);
    const [row] = await rowsOf<{ due_at: number }>(routineId, "SELECT due_at FROM retention");
    if (row !== undefined && row.due_at > Date.now() + 3_600_000) return rings;
  }
  throw new Error("it has not come to an end");
}

/** Until nothing is owed any more, ringing for what has been put off. */
export async function settle(routineId: string): Promise<void> {
  let looks = 0;
  await vi.waitFor(
    async () => {
      if ((await countOf(routineId, "outbox")) === 0) return;
      looks += 1;
      // What is under way needs no other time to go through.
      if (looks < 20) throw new Error("something is owed");
      vi.setSystemTime(Date.now() + 61_000);
      await runDurableObjectAlarm(ownerOf(routineId));
      throw new Error(JSON.stringify(await rowsOf(routineId, "SELECT * FROM outbox")));
    },
    { timeout: 40_000, interval: 20 },
  );
}

/** Ends the object as a reset does: what it has under way is nobody's. */
export async function kill(routineId: string): Promise<void> {
  const killed = runInDurableObject(ownerOf(routineId), (_object, state) => state.abort("killed"));
  await killed.catch(() => undefined);
}

export async function keysUnder(prefix: string): Promise<string[]> {
  const { objects } = await env.BODIES.list({ prefix });
  return objects.map(({ key }) => key);
}

/**
 * Goes through all that the object has, as one of an instance that keeps so much.
 * @param isEvicted after each slice the object is opened anew: what it had in memory is gone.
 */
export async function walkKeeping(routine: { id: string }, limits: Partial<Keep>, isEvicted = false): Promise<void> {
  await runInDurableObject(ownerOf(routine.id), (object, { storage }) => {
    const { parts } = (object as unknown as { opening: { parts: Assembled } }).opening;
    const given = { ...parts, sql: storage.sql, keep: { ...keepIn(z.object(keepVariables).parse({})), ...limits } };
    const opened = () => {
      const oldRuns = new OldRuns(given);
      const oldSessions = new OldSessions({ ...given, oldRuns });
      return new Retention({ ...given, oldRuns, oldSessions, oldRecords: new OldRecords(given) });
    };
    const first = opened();
    for (let looks = 0; looks < 100; looks += 1) (isEvicted ? opened() : first).look(Date.now());
  });
}
