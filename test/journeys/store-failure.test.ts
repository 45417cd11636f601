/** One run's frames can't be stored for a while: the other runs go on, and nothing of it is lost or stored twice. */
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { TakeFrames } from "#durable-objects/routine/runs/take-frames.ts";
import type { OwnedId } from "#protocol/ids.ts";
import { buildRoutine, fired, readRun, readTranscript } from "#test/support/api.ts";
import { agentSays, FakeRunner, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { ownerOf } from "#test/support/objects.ts";

beforeEach(() => {
  // How long frames may stay unstored is judged by the clock, and no time passes by itself.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const FAULT = `CREATE TRIGGER storage_fault BEFORE INSERT ON transcript WHEN NEW.body LIKE '%unstorable%'
  BEGIN SELECT RAISE(ABORT, 'storage fault'); END`;

function sql(runId: string, statement: string): Promise<void> {
  return runInDurableObject(ownerOf(runId), (_object, state) => {
    state.storage.sql.exec(statement);
  });
}

it("holds up nobody else, and ends no attempt whose last word is not stored", async () => {
  const routine = await buildRoutine({ max_concurrent: 2 });
  using runner = await FakeRunner.join();
  const [stuck, healthy] = [await fired(routine), await fired(routine)];
  const works = [await runner.work(await runner.accept()), await runner.work(await runner.accept())];
  const workOn = (runId: string) => works.find(({ offer }) => offer.lease.run_id === runId) ?? expect.unreachable();
  await sql(stuck.run_id, FAULT);
  workOn(stuck.run_id).send(RUNNING, agentSays("unstorable"), SUCCEEDED);
  await workOn(healthy.run_id).report(RUNNING, agentSays("fine"), SUCCEEDED);
  expect((await readRun(healthy.run_id)).status).toBe("succeeded");
  expect((await readRun(stuck.run_id)).status).toBe("starting");
  const { lease } = workOn(stuck.run_id).offer;
  await runInDurableObject(ownerOf(stuck.run_id), (object) => {
    expect(() => object.leaseEnded(lease.run_id as OwnedId, lease, "runner_lost")).toThrow("not stored yet");
  });

  await sql(stuck.run_id, "DROP TRIGGER storage_fault");
  await vi.waitUntil(async () => (await readRun(stuck.run_id)).status === "succeeded");
  const transcript = await readTranscript(stuck.claude_code_session_id);
  expect(transcript.filter(({ type }) => type === "agent.message")).toHaveLength(1);
  expect(await readRun(stuck.run_id)).toMatchObject({ attempt: 1, result: "done" });
});

it("costs its neighbours nothing, and is given up after two seconds", async () => {
  const routine = await buildRoutine({ max_concurrent: 2 });
  using runner = await FakeRunner.join();
  const [stuck, healthy] = [await fired(routine), await fired(routine)];
  const works = [await runner.work(await runner.accept()), await runner.work(await runner.accept())];
  const workOn = (runId: string) => works.find(({ offer }) => offer.lease.run_id === runId) ?? expect.unreachable();
  await sql(stuck.run_id, FAULT);
  workOn(stuck.run_id).send(RUNNING, agentSays("unstorable"));
  await workOn(healthy.run_id).report(RUNNING);
  const taken = vi.spyOn(TakeFrames.prototype, "take");
  for (let frame = 0; frame < 30; frame += 1) await workOn(healthy.run_id).report(agentSays(`fine ${frame}`));
  const attempts = taken.mock.calls.filter(([, lease, { n }]) => lease.run_id === stuck.run_id && n === 1);
  expect(attempts.length).toBeLessThan(10);
  vi.setSystemTime(Date.now() + 2_000);
  await vi.waitUntil(async () => (await readRun(stuck.run_id)).status === "failed");
  expect(await readRun(stuck.run_id)).toMatchObject({ error: { code: "finish_failed" } });
  await workOn(healthy.run_id).finish();
  expect((await readRun(healthy.run_id)).status).toBe("succeeded");
});

it("stores a frame once, also when telling it fails", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  const { Viewers } = await import("#durable-objects/routine/viewers/viewers.ts");
  vi.spyOn(Viewers.prototype, "sendNew").mockImplementationOnce(() => {
    throw new Error("telling fails");
  });
  await work.report(agentSays("once"));
  await work.finish();
  expect((await readRun(run_id)).status).toBe("succeeded");
  const transcript = await readTranscript(sessionId);
  expect(transcript.filter(({ type }) => type === "agent.message")).toHaveLength(1);
});
