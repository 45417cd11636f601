/** A person cancels a run: it is settled when the runner says that everything has stopped, or when its lease ends. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import { buildRoutine, call, eventsOf, fired, readRun, watch } from "#test/support/api.ts";
import { CANCELED, FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { defaultPool, ownerOf } from "#test/support/objects.ts";

function cancel(runId: string) {
  return call<{ status: string; cancel_requested_at: string | null }>("POST", `/api/v1/runs/${runId}/cancel`);
}

it("tells the runner, and settles on its word", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { run_id } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  const asked = await cancel(run_id);
  expect(asked).toMatchObject({ status: 200, body: { status: "running", cancel_reason: "by_user" } });
  await work.link.next(({ type }) => type === "cancel");
  expect((await readRun(run_id)).status).toBe("running");
  await work.finish(CANCELED);
  expect(await readRun(run_id)).toMatchObject({ status: "canceled", cancel_reason: "by_user", result: "unknown" });
  expect(await cancel(run_id)).toMatchObject({ status: 409, body: { error: { details: { code: "run_settled" } } } });
});

it("settles a queued run at once, and one that nobody has taken when the pool gives it back", async () => {
  const routine = await buildRoutine({ max_concurrent: 1 });
  const first = await fired(routine);
  const second = await fired(routine);
  expect((await cancel(second.run_id)).body).toMatchObject({ status: "canceled" });
  const viewer = await watch(first.claude_code_session_id);
  await cancel(first.run_id);
  await viewer.until(() => eventsOf(viewer).some(({ type }) => type === "run.finished"));
  expect(await readRun(first.run_id)).toMatchObject({ status: "canceled", runner: null });
});

it("settles when the lease ends, with the runner gone", async () => {
  const routine = await buildRoutine();
  const runner = await FakeRunner.join({ id: "leaving" });
  const { run_id, claude_code_session_id } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  const viewer = await watch(claude_code_session_id);
  await cancel(run_id);
  runner.socket.close();
  work.link.close();
  await vi.waitUntil(async () => (await readRun(run_id)).status === "running");
  // The same runner in a new process: what the one before had in hand has died with it.
  using again = await FakeRunner.join({ id: "leaving" });
  await viewer.until(() => eventsOf(viewer).some(({ type }) => type === "run.finished"));
  expect(await readRun(run_id)).toMatchObject({ status: "canceled" });
  expect(again.socket.closed).toBeNull();
});

it("takes the lease of a runner that was told to cancel and does not stop", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join({ id: "deaf" });
  const { run_id } = await fired(routine);
  const offer = await runner.accept();
  const work = await runner.work(offer);
  await work.report(RUNNING);
  await cancel(run_id);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  await runDurableObjectAlarm(ownerOf(run_id));
  vi.useRealTimers();
  await runner.socket.next(({ type }) => type === "stop");
  runner.ended(offer.lease);
  await runDurableObjectAlarm(defaultPool());
  await vi.waitUntil(async () => (await readRun(run_id)).status === "canceled");
});
