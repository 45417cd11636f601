/** Whoever closes a socket of the instance's is answered: viewers, runners in their pool, and the links of runs. */
import { expect, it, vi } from "vitest";
import { buildRoutine, fired, readRun, watch } from "#test/support/api.ts";
import { agentSays, FakeRunner, RUNNER_TOKEN, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { evictOwnerOf } from "#test/support/objects.ts";
import { dial, type TestSocket } from "#test/support/test-socket.ts";

/** Closes a socket, and waits for the other side's answer. */
async function closeAndWait(socket: TestSocket, code?: number, reason?: string): Promise<TestSocket["closed"]> {
  socket.close(code, reason);
  await socket.until(() => socket.closed !== null);
  return socket.closed;
}

it("a storm of viewers that come and go is answered, while the run that they watch goes on", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join({ id: "watched-by-many" });
  const { claude_code_session_id: sessionId, run_id } = await fired(routine);
  const work = await runner.work(await runner.accept());
  const viewers = await Promise.all(Array.from({ length: 200 }, () => watch(sessionId)));
  work.send(RUNNING, agentSays("to whoever is still there"));
  const answers = await Promise.all(viewers.map((viewer) => closeAndWait(viewer, 1000, "")));
  expect(new Set(answers.map((answer) => answer?.code))).toEqual(new Set([1000]));
  await work.finish(SUCCEEDED);
  expect((await readRun(run_id)).status).toBe("succeeded");
});

it("a runner that leaves its run's link and its pool is answered in both, and comes back to both", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join({ id: "tidy" });
  const { run_id } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  expect(await closeAndWait(work.link, 1000, "")).toEqual({ code: 1000, reason: "" });
  expect(await closeAndWait(runner.socket, 1000, "the wire is changed")).toEqual({
    code: 1000,
    reason: "the wire is changed",
  });
  await runner.rejoin([work.offer.lease]);
  await work.connect();
  await work.finish(SUCCEEDED);
  await vi.waitUntil(async () => (await readRun(run_id)).status === "succeeded");
});

it("a runner that leaves before it has said anything is answered", async () => {
  const silent = await dial("/runner/pool", { authorization: `Bearer ${RUNNER_TOKEN}` });
  expect(await closeAndWait(silent, 1000, "")).toEqual({ code: 1000, reason: "" });
});

// After those with runners, to whom the runs of these would be offered.
it.each<[string, number | undefined, string | undefined, { code: number; reason: string }]>([
  ["a code", 1000, "", { code: 1000, reason: "" }],
  ["a code and a reason", 1000, "read enough", { code: 1000, reason: "read enough" }],
  ["going away", 1001, "the page is left", { code: 1001, reason: "the page is left" }],
  ["a code of its own", 4321, "é".repeat(61), { code: 4321, reason: "é".repeat(61) }],
  ["no code at all, which can't be sent back", undefined, undefined, { code: 1000, reason: "" }],
])("a viewer that closes with %s is answered", async (_sentence, code, reason, answer) => {
  const { claude_code_session_id: sessionId, run_id } = await fired(await buildRoutine());
  const [idle, evicted] = [await watch(sessionId), await watch(sessionId)];
  expect(await closeAndWait(idle, code, reason)).toEqual(answer);
  await evictOwnerOf(run_id);
  expect(await closeAndWait(evicted, code, reason)).toEqual(answer);
});
