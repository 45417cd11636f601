/** A routine is deleted while a run is on: tokens first, then runs; what stays is a tombstone that answers 404. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { RowsLeft } from "#durable-objects/routine/changes/purge.ts";
import { RUNNER_CLOSE } from "#protocol/runner-link.ts";
import { buildRoutine, call, fire, fired, watch } from "#test/support/api.ts";
import { CANCELED, FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { listen } from "#test/support/log-lines.ts";
import { defaultPool, evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import { ring, rowsOf } from "#test/support/retention.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const TABLES =
  "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name <> 'sqlite_sequence'";

it("revokes, cancels, forgets", async () => {
  const secret = "never.to.be.read.again";
  const triggers = [{ type: "api" }, { type: "event", name: secret }];
  const routine = await buildRoutine({ max_concurrent: 1, name: secret, prompt: secret, triggers });
  using runner = await FakeRunner.join();
  const first = await fired(routine);
  await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  const viewer = await watch(first.claude_code_session_id);
  const deleted = await call("DELETE", `/api/v1/routines/${routine.id}`);
  expect(deleted.status).toBe(204);

  await viewer.until(() => viewer.closed !== null);
  expect(viewer.closed?.code).toBe(4404);
  expect((await fire(routine)).status).toBe(404);
  expect((await call("GET", `/api/v1/routines/${routine.id}`)).status).toBe(404);
  expect((await call("GET", `/api/v1/runs/${first.run_id}`)).status).toBe(404);
  const list = await call<{ data: { id: string }[] }>("GET", "/api/v1/routines");
  expect(list.body.data.map(({ id }) => id)).not.toContain(routine.id);

  expect(await work.link.next(({ type }) => type === "cancel")).toMatchObject({ reason: "routine_deleted" });
  await work.finish(CANCELED);
  await vi.waitUntil(() => rowCount(routine.id, "transcript").then((count) => count === 0));
  expect(await rowCount(routine.id, "runs")).toBe(0);
  expect(await rowCount(routine.id, "routine")).toBe(1);
  expect(await tablesThatHave(routine.id, secret)).toEqual([]);
});

it("ends the work of a silent runner on a run that can't be read, and its place is free", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join({ id: "silent-at-work", capacity: 1 });
  await fired(routine);
  const offer = await runner.accept();
  const work = await runner.work(offer);
  await work.report(RUNNING);
  await rowsOf(routine.id, "UPDATE runs SET doc = '{' RETURNING id");
  await evictOwnerOf(routine.id);
  expect((await call("DELETE", `/api/v1/routines/${routine.id}`)).status).toBe(204);
  await vi.waitUntil(() => work.link.closed !== null);
  expect(work.link.closed?.code).toBe(RUNNER_CLOSE.refused);
  // As the real one does then.
  runner.ended(offer.lease);
  const { run_id: next } = await fired(await buildRoutine());
  expect((await runner.accept()).lease.run_id).toBe(next);
});

it("leaves no place asked for at the pool where a run that waits for a runner can't be read", async () => {
  const routine = await buildRoutine();
  const { run_id: spoiled } = await fired(routine);
  await vi.waitUntil(async () => (await leasesOf(spoiled)).length > 0);
  await rowsOf(routine.id, "UPDATE runs SET doc = '{' RETURNING id");
  await evictOwnerOf(routine.id);
  expect((await call("DELETE", `/api/v1/routines/${routine.id}`)).status).toBe(204);
  await vi.waitUntil(async () => (await leasesOf(spoiled)).length === 0);
  await vi.waitUntil(async () => (await rowCount(routine.id, "sessions")) === 0);
});

it("goes in small steps where it has much, and is gone for people at once", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const taken = new Map<RowsLeft, number>();
  const { empty } = RowsLeft.prototype;
  vi.spyOn(RowsLeft.prototype, "empty").mockImplementation(function (this: RowsLeft, tx, table) {
    const gone = empty.call(this, tx, table);
    taken.set(this, (taken.get(this) ?? 0) + gone);
    return gone;
  });
  const [large, other] = [await buildRoutine({ max_concurrent: 1 }), await buildRoutine()];
  for (let fires = 0; fires < 60; fires += 1) await fired(large);
  await runInDurableObject(ownerOf(large.id), (_object, { storage }) => {
    multiply(storage, "runs", 10_000, { id: "printf('run_%026d', i)", status: "'succeeded'" });
    multiply(storage, "transcript", 5_000, { last_seq: "i + 100000" });
  });
  await evictOwnerOf(large.id);
  expect((await call("DELETE", `/api/v1/routines/${large.id}`)).status).toBe(204);
  const { results } = await env.DB.prepare(
    "SELECT id FROM routines WHERE id = ?1 UNION ALL SELECT id FROM runs WHERE routine_id = ?1",
  )
    .bind(large.id)
    .all();
  expect(results).toEqual([]);
  expect((await fire(large)).status).toBe(404);
  expect(await rowCount(large.id, "runs")).toBeGreaterThan(9_000);
  let rings = 0;
  for (; (await rowCount(large.id, "runs")) > 0 && rings < 200; rings += 1) {
    vi.setSystemTime(Date.now() + 2_000);
    await runDurableObjectAlarm(ownerOf(large.id));
    // Whoever asks meanwhile, of this object or beside it, is answered.
    expect((await call("GET", `/api/v1/routines/${large.id}`)).status).toBe(404);
    expect((await call("GET", `/api/v1/routines/${other.id}`)).status).toBe(200);
    if (rings === 5) await evictDurableObject(ownerOf(large.id));
  }
  await vi.waitFor(async () => expect(await rowCount(large.id, "transcript")).toBe(0));
  expect(Math.max(...taken.values())).toBeLessThanOrEqual(1_000);
  expect([...taken.values()].filter((rows) => rows > 0).length).toBeGreaterThanOrEqual(15);
  expect(await rowCount(large.id, "routine")).toBe(1);
}, 240_000);

it.each([
  ["waits for a place", "status = 'queued'", 2],
  ["has one", "status <> 'queued'", 1],
])("goes where what is stored of a run that %s can't be read, which is told of", async (_which, condition, count) => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const routine = await buildRoutine({ max_concurrent: 1 });
  for (let fires = 0; fires < 4; fires += 1) await fired(routine);
  const spoiled = await rowsOf<{ id: string }>(
    routine.id,
    `UPDATE runs SET doc = '{' WHERE id IN (SELECT id FROM runs WHERE ${condition} LIMIT ?) RETURNING id`,
    count,
  );
  expect(spoiled).toHaveLength(count);
  await evictOwnerOf(routine.id);
  const log = listen();
  expect((await call("DELETE", `/api/v1/routines/${routine.id}`)).status).toBe(204);
  for (let rings = 0; (await rowCount(routine.id, "sessions")) > 0 && rings < 100; rings += 1) await ring(routine.id);
  expect([await rowCount(routine.id, "runs"), await rowCount(routine.id, "sessions")]).toEqual([0, 0]);
  const told = log.troubles("run_unreadable").map(({ run_id }) => run_id);
  expect(told.toSorted()).toEqual(spoiled.map(({ id }) => id).toSorted());
});

it("leaves no storage behind when somebody asks for an id that nobody owns", async () => {
  const unknown = "rtn_1M80BZZZZZZZZZZZZZZZZZZZZZ";
  expect((await call("GET", `/api/v1/routines/${unknown}`)).status).toBe(404);
  expect((await call("GET", `/api/v1/runs/${unknown.replace("rtn_", "run_")}`)).status).toBe(404);
  const tables = await runInDurableObject(ownerOf(unknown), (_object, state) =>
    state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
  );
  expect(tables).toEqual([]);
});

/** As the default pool has them. */
async function leasesOf(runId: string): Promise<unknown[]> {
  return await runInDurableObject(defaultPool(), (_object, { storage: { sql } }) =>
    sql.exec("SELECT status FROM leases WHERE run_id = ?", runId).toArray(),
  );
}

/** Of the object and of D1. */
async function tablesThatHave(id: string, text: string): Promise<string[]> {
  const hasIt = (rows: unknown) => JSON.stringify(rows).includes(text);
  const inObject = await runInDurableObject(ownerOf(id), (_object, { storage: { sql } }) =>
    [...sql.exec<{ name: string }>(TABLES)]
      .map(({ name }) => name)
      .filter((name) => hasIt([...sql.exec(`SELECT * FROM ${name}`)])),
  );
  const { results: tables } = await env.DB.prepare(TABLES).all<{ name: string }>();
  const rows = await env.DB.batch(tables.map(({ name }) => env.DB.prepare(`SELECT * FROM ${name}`)));
  return [...inObject, ...tables.filter((_table, at) => hasIt(rows[at]?.results)).map(({ name }) => `d1.${name}`)];
}

/** Copies of a table's first row. @param other expressions for columns that differ; `i` counts from 1. */
function multiply({ sql }: DurableObjectStorage, table: string, count: number, other: Record<string, string>): void {
  const columns = sql.exec<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`).toArray();
  const values = columns.map(({ name }) => other[name] ?? name);
  sql.exec(
    `INSERT INTO ${table} (${columns.map(({ name }) => name).join(", ")})
      WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?)
      SELECT ${values.join(", ")} FROM (SELECT * FROM ${table} LIMIT 1), numbers`,
    count,
  );
}

function rowCount(id: string, table: string): Promise<number> {
  return runInDurableObject(ownerOf(id), (_object, state) => {
    const row = state.storage.sql.exec(`SELECT count(*) AS count FROM ${table}`).one();
    return Number(row["count"]);
  });
}
