/** Routines with runs that have not settled, as the sweep finds them: a few at a time, every one in its turn, at a small cost. */
import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { dueStore } from "#instance/d1/due.ts";
import { countingReads } from "#test/support/rows-read.ts";

const LIMIT = 20;

beforeEach(async () => {
  await env.DB.exec("DELETE FROM runs");
});

/** Runs of a routine each, older ones first. @param statusOf by number. */
async function runsInD1(count: number, statusOf: (number: number) => string): Promise<void> {
  const rows = Array.from({ length: count }, (_, number) => [
    `run_${String(number).padStart(9, "0")}`,
    statusOf(number),
  ]);
  await env.DB.prepare(
    `INSERT INTO runs (id, routine_id, status, trigger_type, doc, version)
     SELECT value ->> 0, 'rtn_of_' || (value ->> 0), value ->> 1, 'api', '{}', 1 FROM json_each(?)`,
  )
    .bind(JSON.stringify(rows))
    .run();
}

const statuses = ["queued", "succeeded", "starting", "failed", "running", "canceled"];
const unsettled = (number: number) => statuses[number % statuses.length] ?? "";

it("finds all of a few, wherever it begins, and none that has settled", async () => {
  await runsInD1(30, unsettled);
  for (const random of [0, 0.2, 0.5, 0.9, 0.999]) {
    const found = await dueStore(env.DB).unsettled(LIMIT, random);
    expect(found).toHaveLength(15);
    expect(new Set(found).size).toBe(15);
  }
  await env.DB.exec("UPDATE runs SET status = 'succeeded'");
  expect(await dueStore(env.DB).unsettled(LIMIT, 0.5)).toEqual([]);
  await env.DB.exec("DELETE FROM runs");
  expect(await dueStore(env.DB).unsettled(LIMIT, 0.5)).toEqual([]);
});

it("comes to every one of many, a part at a time", async () => {
  await runsInD1(600, unsettled);
  const found = new Set<string>();
  for (let step = 0; step < 100; step += 1) {
    const ids = await dueStore(env.DB).unsettled(LIMIT, step / 100);
    expect(ids).toHaveLength(LIMIT);
    for (const id of ids) found.add(id);
  }
  expect(found.size).toBe(300);
});

it("costs no more among many runs than among few", async () => {
  const costOf = async (count: number, statusOf: (number: number) => string) => {
    await env.DB.exec("DELETE FROM runs");
    await runsInD1(count, statusOf);
    const { database, rowsRead } = countingReads(env.DB);
    await dueStore(database).unsettled(LIMIT, 0.5);
    return rowsRead();
  };
  const few = await costOf(600, unsettled);
  expect(await costOf(6_000, unsettled)).toBeLessThanOrEqual(few * 1.2);
  const hardlyAny = await costOf(600, (number) => (number < 3 ? "queued" : "succeeded"));
  expect(await costOf(6_000, (number) => (number < 3 ? "queued" : "succeeded"))).toBeLessThanOrEqual(hardlyAny * 1.2);
});
