/** What a routine's object reads of a session that has thousands of runs: what is asked for, and not what else there is. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { openDatabase } from "#durable-objects/routine/database.ts";
import { RunStore } from "#durable-objects/routine/runs/run-store.ts";
import { TranscriptLog } from "#durable-objects/routine/transcript/transcript-log.ts";
import { TranscriptParts } from "#durable-objects/routine/transcript/transcript-parts.ts";
import { Work } from "#durable-objects/routine/work.ts";
import { buildRoutine } from "#test/support/api.ts";
import { ownerOf } from "#test/support/objects.ts";

/** Of the one session. */
const SETTLED = 3_000;
const QUEUED = 300;

const RUN = "INSERT INTO runs (id, session_id, status, doc, phase, version)";

/** @param make a query of one row for each `i`. */
function many(count: number, make: string): string {
  return `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) ${RUN} SELECT ${make} FROM n`;
}

it("finds a session's newest run, those that are on, and the next of the queue without reading the others", async () => {
  const { id } = await buildRoutine();
  await runInDurableObject(ownerOf(id), async (_object, { storage }) => {
    const { sql } = storage;
    const database = openDatabase(storage);
    if (!database.ok) throw new Error(database.refusal.message);
    const work = new Work(storage, database.value);
    const runs = new RunStore(database.value, sql, new TranscriptLog(sql, work, new TranscriptParts(env.BODIES)), work);
    vi.spyOn(runs, "get").mockReturnValue(null);
    sql.exec(many(SETTLED, "'a' || i, 'long', 'succeeded', '{}', 'none', 1"));
    sql.exec(many(QUEUED, "'b' || (1000 + i), 'long', 'queued', '{}', 'none', 1"));
    sql.exec(`${RUN} VALUES ('c', 'other', 'queued', '{}', 'none', 1)`);
    const reads = <Answer>(ask: () => Answer): { answer: Answer; rows: number } => {
      const exec = sql.exec.bind(sql);
      let rows = 0;
      const counted = vi.spyOn(sql, "exec").mockImplementation((query: string, ...values: SqlStorageValue[]) => {
        const cursor = exec(query, ...values);
        const all = cursor.toArray();
        rows += cursor.rowsRead;
        return { toArray: () => all, one: () => all[0] } as never;
      });
      const answer = ask();
      counted.mockRestore();
      return { answer, rows };
    };
    const newest = reads(() => runs.newest("long"));
    expect(runs.get).toHaveBeenLastCalledWith("b1300");
    const isOn = reads(() => runs.unsettledOf("long", 1));
    const next = reads(() => runs.queue.due(Date.now(), 1));
    expect([isOn.answer, next.answer]).toEqual([["b1001"], ["b1001"]]);
    expect(Math.max(newest.rows, isOn.rows, next.rows)).toBeLessThan(12);
    // The other runs of the session wait for it: each is looked at once.
    const both = reads(() => runs.queue.due(Date.now(), 2));
    expect(both.answer).toEqual(["b1001", "c"]);
    expect(both.rows).toBeLessThan(4 * QUEUED);
  });
});
