/** D1 is lost: what the lists, the sweep and matching need comes back from the routines' objects, and nothing runs twice. */
import { applyD1Migrations, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { rosterObject } from "#instance/objects.ts";
import type { RebuildStep } from "#protocol/index-rebuild.ts";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call, fired } from "#test/support/api.ts";
import { playRun } from "#test/support/chains.ts";
import { countsOf, realDeps, tick } from "#test/support/clock.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { fail, method, routine as objects } from "#test/support/hang.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import { rosterFilling } from "#worker/clock/fill-roster.ts";
import { rebuildStep } from "#worker/clock/rebuild-index.ts";
import { RosterObject } from "#worker/index.ts";

const PROJECTIONS = ["routines", "runs", "subscriptions", "due_routines"];
const NINE = "2026-11-23T09:00:00.000Z";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(NINE) - 90_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

async function rowsOf(tables = PROJECTIONS): Promise<Record<string, unknown[]>> {
  const read = tables.map((table) => env.DB.prepare(`SELECT * FROM ${table} ORDER BY 1, 2, 3`));
  const found = await env.DB.batch(read);
  return Object.fromEntries(tables.map((table, place) => [table, found[place]?.results ?? []]));
}

/** As after `wrangler d1 create` and `migrations apply`. */
async function loseD1(): Promise<void> {
  const { results } = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<{
    name: string;
  }>();
  const tables = results.map(({ name }) => name).filter((name) => !/^(_cf_|sqlite_)/.test(name));
  await env.DB.batch(tables.map((name) => env.DB.prepare(`DROP TABLE ${name}`)));
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
  expect(await rowsOf()).toEqual({ routines: [], runs: [], subscriptions: [], due_routines: [] });
}

/** All steps, as `npm run rebuild-index` makes them. */
async function rebuild(): Promise<Omit<RebuildStep, "next_cursor">> {
  const sum: Omit<RebuildStep, "next_cursor"> = { routines: 0, runs: 0, forgotten: 0, failed: [] };
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const body = cursor === undefined ? {} : { cursor };
    const answer: { status: number; body: RebuildStep } = await call("POST", "/api/v1/instance/index/rebuild", body);
    expect(answer.status).toBe(200);
    const step = answer.body;
    sum.routines += step.routines;
    sum.runs += step.runs;
    sum.forgotten += step.forgotten;
    sum.failed.push(...step.failed);
    cursor = step.next_cursor;
  }
  return sum;
}

/** Several routines, with all that D1 knows of any. */
async function someRoutines(): Promise<{ daily: Routine; paused: Routine; waiting: Routine; fires: string }> {
  const daily = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *", timezone: "UTC" }] });
  const paused = await buildRoutine({ triggers: [{ type: "schedule", cron: "* * * * *", timezone: "UTC" }] });
  await call("POST", `/api/v1/routines/${paused.id}/pause`, { reason: "for the test" });
  const api = await buildRoutine({ overlap: "parallel", max_concurrent: 2 });
  const repositories = [{ url: "https://github.com/acme/app" }];
  const triggers = [
    { type: "event", name: "built" },
    { type: "routine", routine: api.id, on: ["succeeded"] },
    { type: "github", event: "push" },
  ];
  const waiting = await buildRoutine({ repositories, triggers });
  using runner = await FakeRunner.join();
  const { run_id } = await fired(api);
  await playRun(runner, run_id);
  await fired(api);
  await fired(api);
  await tick(NINE);
  return { daily, paused, waiting, fires: api.id };
}

/** Everything that is owed has been written. */
async function settledRows(runs: number): Promise<Record<string, unknown[]>> {
  await vi.waitUntil(async () => (await rowsOf())["runs"]?.length === runs);
  return rowsOf();
}

describe("D1 that was lost", () => {
  it("has the same rows again, and no time that was due starts anything twice", async () => {
    const { daily, waiting, fires } = await someRoutines();
    // Three fires, one time, one that waited for the end of a run.
    await vi.waitUntil(async () => (await rowsOf())["runs"]?.length === 5);
    await vi.waitFor(async () => {
      const { results } = await env.DB.prepare("SELECT status FROM runs ORDER BY status").all<{ status: string }>();
      expect(results.map(({ status }) => status)).toContain("succeeded");
    });
    const before = await settledRows(5);
    // Nobody waits for the roster when a routine is made.
    await vi.waitFor(async () =>
      expect((await rosterObject(env).page("", 100)).ids.length).toBe(before["routines"]?.length),
    );
    await loseD1();
    expect(await rebuild()).toMatchObject({ routines: before["routines"]?.length, runs: 5, forgotten: 0, failed: [] });
    expect(await settledRows(5)).toEqual(before);
    const told = await countsOf(daily.id);
    await tick(NINE);
    await tick("2026-11-23T09:01:00.000Z");
    expect(await countsOf(daily.id)).toEqual(told);
    expect(await countsOf(fires)).toEqual({ "started admitted": 3 });
    await call("POST", "/api/v1/events", { name: "built" });
    expect(await countsOf(waiting.id)).toEqual({ "started admitted": 2 });
    // Nothing is under way any more when the next test reads what there is.
    await settledRows(6);
  });
});

describe("the roster", () => {
  const has = async (id: string) => (await rosterObject(env).page(id.slice(0, -1), 1)).ids.includes(id);

  it("has a routine from its creation to its deletion", async () => {
    const { id } = await buildRoutine();
    await vi.waitUntil(() => has(id));
    await call("DELETE", `/api/v1/routines/${id}`);
    await vi.waitUntil(async () => !(await has(id)));
    // A page of D1 that the sweep had read before.
    await rosterObject(env).enter([id]);
    expect(await has(id)).toBe(false);
  });

  it("that does not answer holds up no creation, and is told when it does, also after the object's end", async () => {
    const out = fail(method(RosterObject.prototype, "enter"));
    const { id } = await buildRoutine();
    await out.untilMet();
    out.end();
    await evictOwnerOf(id);
    vi.setSystemTime(Date.now() + 60_000);
    await runDurableObjectAlarm(ownerOf(id));
    await vi.waitUntil(() => has(id));
  });

  it("never has a routine whose creation D1 did not take in", async () => {
    const before = (await rosterObject(env).page("", 1_000)).ids;
    await env.DB.exec("ALTER TABLE routines RENAME TO routines_away");
    expect((await call("POST", "/api/v1/routines", { name: "lost", prompt: "x" })).status).toBe(503);
    await env.DB.exec("ALTER TABLE routines_away RENAME TO routines");
    await vi.waitFor(async () => expect((await rosterObject(env).page("", 1_000)).ids).toEqual(before));
  });

  it.each([1, 3])("takes in what D1 lists of before there was a roster, %i at a time, and only once", async (size) => {
    const ids = [];
    for (let count = 0; count < 4; count += 1) ids.push((await buildRoutine()).id);
    for (const id of ids) await vi.waitUntil(() => has(id));
    await runInDurableObject(rosterObject(env), (_object, { storage: { sql } }) => {
      sql.exec("DELETE FROM routines");
      sql.exec("DELETE FROM facts");
    });
    const { index, roster } = realDeps();
    let asked = 0;
    const paged = async (after: string, limit: number) => {
      asked += 1;
      return (await index.ids(after, limit)).slice(0, asked < 3 ? size : limit);
    };
    const fill = rosterFilling(roster, { ids: paged });
    await fill();
    await fill();
    await rosterFilling(roster, { ids: async () => expect.unreachable("all are in") })();
    for (const id of ids) expect(await has(id)).toBe(true);
  });

  it("takes in a day later what a worker of before has made meanwhile, also in the same isolate", async () => {
    const { index, roster } = realDeps();
    // An isolate of its own: what one has found out outlives its file of tests.
    const fillRoster = rosterFilling(roster, index);
    await roster().fill([], true);
    await fillRoster();
    const { id } = await buildRoutine();
    await vi.waitUntil(() => has(id));
    await runInDurableObject(rosterObject(env), (_object, { storage: { sql } }) => {
      sql.exec("DELETE FROM routines WHERE id = ?", id);
    });
    vi.setSystemTime(Date.now() + 23 * 3_600_000);
    await fillRoster();
    expect(await has(id)).toBe(false);
    vi.setSystemTime(Date.now() + 2 * 3_600_000);
    await fillRoster();
    expect(await has(id)).toBe(true);
  });
});

describe("a rebuild", () => {
  it("brings an older state up to date, and takes out what has been deleted since", async () => {
    const kept = await buildRoutine({ triggers: [{ type: "event", name: "one" }] });
    const gone = await buildRoutine({ triggers: [{ type: "event", name: "two" }] });
    const older = await rowsOf(["routines", "subscriptions"]);
    await call("PATCH", `/api/v1/routines/${kept.id}`, { triggers: [{ type: "event", name: "three" }] });
    await call("DELETE", `/api/v1/routines/${gone.id}`);
    const before = await rowsOf();
    // As after `wrangler d1 time-travel restore`.
    await env.DB.exec("DELETE FROM forgotten_routines");
    for (const row of older["routines"] as { id: string; doc: string; version: number }[]) {
      const { id, doc, version } = row;
      await env.DB.prepare("INSERT OR REPLACE INTO routines (id, doc, version) VALUES (?, ?, ?)")
        .bind(id, doc, version)
        .run();
    }
    await env.DB.exec("DELETE FROM subscriptions");
    expect(await rebuild()).toMatchObject({ forgotten: 1, failed: [] });
    expect(await rowsOf()).toEqual(before);
  });

  it("takes out runs that their object has forgotten since, and no others", async () => {
    const [routine, other] = [await buildRoutine(), await buildRoutine()];
    const runs = [await fired(routine), await fired(other)].map(({ run_id }) => run_id);
    const listed = async () => {
      const { results } = await env.DB.prepare("SELECT id FROM runs ORDER BY id").all<{ id: string }>();
      return results.map(({ id }) => id);
    };
    await vi.waitFor(async () => expect(await listed()).toEqual(expect.arrayContaining(runs)));
    const before = await listed();
    // As after `wrangler d1 time-travel restore`: more than are compared at once.
    await env.DB.prepare(
      `INSERT INTO runs (id, routine_id, status, trigger_type, doc, version)
        WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 2500)
        SELECT printf('run_0%025d', i), routine_id, status, trigger_type, doc, version FROM numbers, runs WHERE id = ?`,
    )
      .bind(runs[0])
      .run();
    expect(await listed()).toHaveLength(before.length + 2_500);
    expect(await rebuild()).toMatchObject({ failed: [] });
    await vi.waitFor(async () => expect(await listed()).toEqual(before), 10_000);
  });

  it("writes again what is damaged, also where D1 has the version that there is", async () => {
    const routine = await buildRoutine();
    await fired(routine);
    const ofRoutine = async () => {
      const rows = await rowsOf();
      return PROJECTIONS.map((table) => rows[table]?.filter((row) => JSON.stringify(row).includes(routine.id)));
    };
    await vi.waitUntil(async () => (await ofRoutine())[1]?.length === 1);
    const before = await ofRoutine();
    await env.DB.exec("UPDATE routines SET doc = '{}'");
    await env.DB.exec("UPDATE runs SET doc = '{}'");
    expect(await rebuild()).toMatchObject({ failed: [] });
    await vi.waitFor(async () => expect(await ofRoutine()).toEqual(before));
  });

  it("enters routines that D1 has and the roster does not", async () => {
    const { id } = await buildRoutine();
    const roster = rosterObject(env);
    await vi.waitUntil(async () => (await roster.page(id.slice(0, -1), 1)).ids.includes(id));
    await runInDurableObject(roster, (_object, { storage: { sql } }) => void sql.exec("DELETE FROM routines"));
    await rebuild();
    expect((await roster.page(id.slice(0, -1), 1)).ids).toEqual([id]);
  });

  it("names routines that do not answer or are not taken in, goes on with the others, and can be done again", async () => {
    const [silent, other] = [await buildRoutine(), await buildRoutine()];
    await rebuild();
    await loseD1();
    {
      using _out = fail(objects("writeIndexAgain", silent.id));
      const { failed } = await rebuild();
      expect(failed).toEqual([{ routine_id: silent.id, why: "the routine's object does not answer" }]);
    }
    const listed = async () => (await rowsOf(["routines"]))["routines"]?.map((row) => (row as { id: string }).id);
    expect(await listed()).toContain(other.id);
    expect(await listed()).not.toContain(silent.id);
    await env.DB.exec("ALTER TABLE routines RENAME TO routines_away");
    const { index } = realDeps();
    const parts = { ...realDeps(), index: { ...index, ids: async () => [] } };
    const step = await rebuildStep(parts, "roster:", Date.now());
    await env.DB.exec("ALTER TABLE routines_away RENAME TO routines");
    expect(step.failed).toContainEqual({ routine_id: other.id, why: "index_behind" });
    await rebuild();
    expect(await listed()).toContain(silent.id);
  });

  it.each(["", "index", "roster:'", "elsewhere:x", 5])("refuses the cursor %j", async (cursor) => {
    expect((await call("POST", "/api/v1/instance/index/rebuild", { cursor })).status).toBe(400);
  });

  it("is the owner's", async () => {
    const headers = { authorization: "Bearer somebody" };
    expect((await call("POST", "/api/v1/instance/index/rebuild", {}, headers)).status).toBe(401);
  });
});
