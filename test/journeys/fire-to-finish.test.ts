/** A script fires a routine, a runner does the work, and everybody who reads the transcript reads the same. */
import { expect, it, vi } from "vitest";
import { buildRoutine, call, eventsOf, fire, fired, readRun, readTranscript, watch } from "#test/support/api.ts";
import { agentSays, FakeRunner, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";

it("goes from queued to succeeded, and viewer and pages agree", async () => {
  const routine = await buildRoutine({ repositories: [{ url: "https://github.com/acme/app" }] });
  using runner = await FakeRunner.join();
  const answer = await fired(routine, { text: "from CI" });
  const viewer = await watch(answer.claude_code_session_id);
  const work = await runner.work(await runner.accept());
  expect(work.order).toMatchObject({ run_id: answer.run_id, generation: 1, turns: 200, timeout_ms: 3_600_000 });
  await work.report(RUNNING, agentSays("Hello."));
  expect((await readRun(answer.run_id)).status).toBe("running");
  await work.finish();

  const run = await readRun(answer.run_id);
  expect(run).toMatchObject({ status: "succeeded", result: "done", summary: "All done.", attempt: 1 });
  await viewer.until(() => eventsOf(viewer).some(({ type }) => type === "run.finished"));
  const events = await readTranscript(answer.claude_code_session_id, 3);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(eventsOf(viewer)).toEqual(events);
  expect(events.map(({ type }) => type)).toEqual([
    "run.queued",
    "user.message",
    "user.message",
    "run.starting",
    "run.step",
    "run.step",
    "run.running",
    "agent.message",
    "run.finished",
  ]);
  const list = () => call<{ data: { id: string; status: string }[] }>("GET", `/api/v1/runs?routine=${routine.id}`);
  await vi.waitUntil(async () => (await list()).body.data[0]?.status === "succeeded");
  expect((await list()).body.data).toMatchObject([{ id: answer.run_id, status: "succeeded" }]);
});

it("gives one run and equal answers for one key, and runs one after the other without", async () => {
  const routine = await buildRoutine({ max_concurrent: 2 });
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => fire(routine, { text: "same" }, { "idempotency-key": "deploy-7" })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const stripped = answers.map(({ body: { duplicate: _duplicate, ...rest } }) => JSON.stringify(rest));
  expect(new Set(stripped).size).toBe(1);
  expect(answers.filter(({ body }) => body.duplicate === true)).toHaveLength(49);
  const other = await fire(routine, { text: "other" }, { "idempotency-key": "deploy-7" });
  expect(other).toMatchObject({ status: 422, body: { error: { details: { code: "idempotency_key_reused" } } } });

  const many = await Promise.all(Array.from({ length: 20 }, () => fired(routine)));
  const runs = await Promise.all(many.map(({ run_id }) => readRun(run_id)));
  expect(runs.filter(({ status }) => status === "queued")).toHaveLength(19);
  using runner = await FakeRunner.join({ id: "fake-2", capacity: 50 });
  let most = 0;
  for (let done = 0; done < 21; done += 1) {
    const work = await runner.work(await runner.accept());
    const list = await call<{ data: { status: string }[] }>("GET", `/api/v1/routines/${routine.id}/runs?limit=200`);
    most = Math.max(most, list.body.data.filter(({ status }) => status === "starting" || status === "running").length);
    await work.finish(SUCCEEDED);
  }
  expect(most).toBe(2);
  const ended = await Promise.all(many.map(({ run_id }) => readRun(run_id)));
  expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(["succeeded"]));
});
