/** D1 fails for a while: nothing that was accepted is lost, and the lists catch up by themselves. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { buildRoutine, call, fired, readRun } from "#test/support/api.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { ownerOf } from "#test/support/objects.ts";

function listed(runId: string) {
  return call<{ data: { id: string; status: string }[] }>("GET", "/api/v1/runs").then(({ body }) =>
    body.data.find(({ id }) => id === runId),
  );
}

it("keeps running while the index can't be written, and writes it afterwards", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  await env.DB.exec("ALTER TABLE runs RENAME TO runs_away");
  const { run_id } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.finish();
  expect((await readRun(run_id)).status).toBe("succeeded");
  await env.DB.exec("ALTER TABLE runs_away RENAME TO runs");
  expect(await listed(run_id)).toBeUndefined();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
  await runDurableObjectAlarm(ownerOf(run_id));
  vi.useRealTimers();
  await vi.waitUntil(async () => (await listed(run_id)) !== undefined);
  expect(await listed(run_id)).toMatchObject({ status: "succeeded" });
});

it("does not accept a routine that it can't list", async () => {
  await env.DB.exec("ALTER TABLE routines RENAME TO routines_away");
  const refused = await call("POST", "/api/v1/routines", { name: "lost", prompt: "x" });
  await env.DB.exec("ALTER TABLE routines_away RENAME TO routines");
  expect(refused).toMatchObject({ status: 503, body: { error: { details: { code: "index_behind" } } } });
  const list = await call<{ data: { name: string }[] }>("GET", "/api/v1/routines");
  expect(list.body.data.map(({ name }) => name)).not.toContain("lost");
});
