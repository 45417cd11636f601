/** Many routines: what a sweep costs grows with what is due, and many triggers of one minute fire once each. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { dueStore } from "#instance/d1/due.ts";
import { buildRoutine } from "#test/support/api.ts";
import { countsOf, occurrencesOf, outOfReach, realDeps, tick } from "#test/support/clock.ts";
import { countingReads } from "#test/support/rows-read.ts";
import type { ClockMessage } from "#worker/bindings.ts";
import { sweep } from "#worker/clock/sweep.ts";

const NINE_MS = Date.parse("2026-11-23T09:00:00.000Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NINE_MS - 30_000 });
});
afterEach(async () => {
  vi.useRealTimers();
  await env.DB.exec("DELETE FROM due_routines");
});

/** Rows of routines that don't exist: the sweep does not ask. @param dueAt Unix milliseconds. */
async function addRows(count: number, prefix: string, dueAt: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO due_routines (routine_id, due_at, version) SELECT ?2 || i, ?3, 1 FROM n`,
  )
    .bind(count, prefix, dueAt)
    .run();
}

async function sweepCounted(nowMs: number) {
  const { database, rowsRead } = countingReads(env.DB);
  const due = dueStore(database);
  const sent: ClockMessage[] = [];
  // There are no such objects: each row takes the longer way, by the queue.
  await sweep(
    { ...realDeps(), due, ownerOf: outOfReach, sendDue: async (messages) => void sent.push(...messages) },
    nowMs,
  );
  return { sent, due, rowsRead };
}

it("reads rows of what is due alone, whatever else there is, and wherever it is in the table", async () => {
  await addRows(30_000, "later-", NINE_MS + 1);
  await addRows(100, "due-", NINE_MS);
  await addRows(30_000, "also-later-", NINE_MS + 2);
  const { sent, due, rowsRead } = await sweepCounted(NINE_MS);
  expect(new Set(sent.map(({ routine_id }) => routine_id)).size).toBe(100);
  expect(rowsRead()).toBeLessThanOrEqual(700);
  await due.settle(
    sent.map(({ routine_id }, index) => ({
      routine_id,
      due_at: index % 2 === 0 ? null : NINE_MS + 60_000,
      version: 1,
    })),
  );
  expect(rowsRead()).toBeLessThanOrEqual(1_500);
});

it("reads each row of one moment about as often, however many there are", async () => {
  await addRows(3_000, "due-", NINE_MS);
  const { sent, rowsRead } = await sweepCounted(NINE_MS);
  expect(sent).toHaveLength(3_000);
  expect(new Set(sent.map(({ routine_id }) => routine_id)).size).toBe(3_000);
  expect(rowsRead()).toBeLessThanOrEqual(3_000 * 7);
});

/** The benchmark does it with a hundred routines. */
it("admits 1,000 triggers of 10 routines in one minute, each once", async () => {
  const ids: string[] = [];
  while (ids.length < 10) {
    const triggers = Array.from({ length: 100 }, () => ({ type: "schedule", cron: "0 9 * * *" }));
    ids.push((await buildRoutine({ triggers })).id);
  }
  const time = new Date(NINE_MS).toISOString();
  await Promise.all([tick(time), tick(time)]);
  for (const id of ids) {
    expect(await countsOf(id)).toEqual({ "started admitted": 5, "queued at_max_concurrent": 95 });
    expect(new Set((await occurrencesOf(id)).map(({ trigger }) => trigger.id)).size).toBe(100);
  }
});
