/** A run's link on which no runner says hello is closed in words; one on which it does stays, and the run goes on. */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HELLO_DEADLINE_MS, RUNNER_CLOSE } from "#protocol/runner-link.ts";
import { buildRoutine, fired, readRun } from "#test/support/api.ts";
import { FakeRunner, type Offer, SUCCEEDED } from "#test/support/fake-runner.ts";
import { ownerOf } from "#test/support/objects.ts";
import { dial, type TestSocket } from "#test/support/test-socket.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function link({ lease, link_token }: Offer): Promise<TestSocket> {
  return dial(`/runner/runs/${lease.run_id}/link`, { authorization: `Bearer ${link_token}` });
}

/** Some time later the alarm of the run's routine rings, if it is armed. */
async function alarmAfter(runId: string, ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await runDurableObjectAlarm(ownerOf(runId));
}

const closed = (socket: TestSocket) => vi.waitUntil(() => socket.closed !== null, { interval: 2 });

it.each([
  ["while its object stays", false],
  ["when its object was evicted meanwhile", true],
])("a silent one is closed when its time is over, %s; the next one is greeted, and stays", async (_when, isEvicted) => {
  using runner = await FakeRunner.join({ id: `silent-${isEvicted}` });
  const { run_id: runId } = await fired(await buildRoutine());
  const offer = await runner.accept();
  const silent = await link(offer);
  await alarmAfter(runId, HELLO_DEADLINE_MS - 1);
  expect(silent.closed).toBeNull();
  if (isEvicted) await evictDurableObject(ownerOf(runId));
  await alarmAfter(runId, 1);
  await closed(silent);
  expect(silent.closed?.code).toBe(RUNNER_CLOSE.late);
  expect(silent.closed?.reason).not.toBe("");

  const work = await runner.work(offer);
  await alarmAfter(runId, HELLO_DEADLINE_MS);
  await work.finish(SUCCEEDED);
  expect(await readRun(runId)).toMatchObject({ status: "succeeded", attempt: 1 });
});

it("one that a newer one has replaced is not waited for, and the newer one has its own time", async () => {
  using runner = await FakeRunner.join({ id: "replaced" });
  const { run_id: runId } = await fired(await buildRoutine());
  const offer = await runner.accept();
  const first = await link(offer);
  vi.setSystemTime(Date.now() + HELLO_DEADLINE_MS - 1_000);
  const second = await link(offer);
  await closed(first);
  expect(first.closed?.code).toBe(RUNNER_CLOSE.replaced);
  await alarmAfter(runId, 1_000);
  expect(second.closed).toBeNull();
  await alarmAfter(runId, HELLO_DEADLINE_MS - 1_000);
  await closed(second);
  expect(second.closed?.code).toBe(RUNNER_CLOSE.late);
});
