/** A routine is deleted while a run is on: tokens first, then runs; what stays is a tombstone that answers 404. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { buildRoutine, call, fire, fired, watch } from "#test/support/api.ts";
import { CANCELED, FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { ownerOf } from "#test/support/objects.ts";

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

it("leaves no storage behind when somebody asks for an id that nobody owns", async () => {
  const unknown = "rtn_1M80BZZZZZZZZZZZZZZZZZZZZZ";
  expect((await call("GET", `/api/v1/routines/${unknown}`)).status).toBe(404);
  expect((await call("GET", `/api/v1/runs/${unknown.replace("rtn_", "run_")}`)).status).toBe(404);
  const tables = await runInDurableObject(ownerOf(unknown), (_object, state) =>
    state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
  );
  expect(tables).toEqual([]);
});

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

function rowCount(id: string, table: string): Promise<number> {
  return runInDurableObject(ownerOf(id), (_object, state) => {
    const row = state.storage.sql.exec(`SELECT count(*) AS count FROM ${table}`).one();
    return Number(row["count"]);
  });
}
