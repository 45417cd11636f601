/** Machinery fails: before the first model call the run is tried again by itself, after it the run says so. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import { z } from "zod";
import type { Page } from "#protocol/api.ts";
import type { MessageAnswer } from "#protocol/message.ts";
import type { Admission, Occurrence } from "#protocol/occurrence.ts";
import { runError } from "#protocol/run-errors.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { buildRoutine, call, eventsOf, fired, readRun, readTranscript, watch } from "#test/support/api.ts";
import { FakeRunner, type FakeWork, RUNNING } from "#test/support/fake-runner.ts";
import { resetAt } from "#test/support/hang.ts";
import { asking, defaultPool, ownerOf } from "#test/support/objects.ts";
import { dial } from "#test/support/test-socket.ts";

const BROKEN: FrameBody = {
  kind: "finished",
  outcome: { status: "failed", error: runError("runner_failed", "setup") },
  report: null,
  seen: { turns: 0, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
};

it("tries again after the backoff, with new tokens, and no more often than allowed", async () => {
  const routine = await buildRoutine({ retry: { max: 1, backoff: "30s" } });
  using runner = await FakeRunner.join();
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const first = await runner.accept();
  const work = await runner.work(first);
  await work.finish(BROKEN);
  expect(await readRun(run_id)).toMatchObject({ status: "queued", attempt: 2, runner: null });
  const stale = dial(`/runner/runs/${run_id}/link`, { authorization: `Bearer ${first.link_token}` });
  await stale.then(async (socket) => {
    await socket.until(() => socket.closed !== null);
    expect(socket.closed?.code).toBe(4401);
  });

  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 29_000 });
  await runDurableObjectAlarm(ownerOf(run_id));
  expect((await readRun(run_id)).status).toBe("queued");
  vi.setSystemTime(Date.now() + 2_000);
  await runDurableObjectAlarm(ownerOf(run_id));
  vi.useRealTimers();
  const second = await runner.accept();
  expect(second.lease).toEqual({ run_id, generation: 2 });
  const again = await runner.work(second);
  await again.report(RUNNING);
  await again.finish(BROKEN);
  expect(await readRun(run_id)).toMatchObject({ status: "failed", attempt: 2, error: { code: "runner_failed" } });
  const types = (await readTranscript(sessionId)).map(({ type }) => type);
  expect(types.filter((type) => type === "run.queued")).toHaveLength(2);
  expect(types.filter((type) => type === "run.finished")).toHaveLength(1);
});

it("is saved by another attempt where a repository could not be had for now, as late as its server asks", async () => {
  const routine = await buildRoutine({ retry: { max: 1, backoff: "1s" } });
  using runner = await FakeRunner.join();
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const error = runError("repository_unavailable", "clone", "https://code.example.com/app: early EOF");
  const work = await runner.work(await runner.accept());
  await work.finish({ ...BROKEN, outcome: { status: "failed", error, retry_after_s: 20 } });
  const notices = (await readTranscript(sessionId)).filter((event) => event.type === "notice");
  expect(notices).toMatchObject([{ code: "retrying", message: expect.stringContaining("wants to be left alone") }]);

  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 15_000 });
  await runDurableObjectAlarm(ownerOf(run_id));
  expect((await readRun(run_id)).status).toBe("queued");
  vi.setSystemTime(Date.now() + 6_000);
  await runDurableObjectAlarm(ownerOf(run_id));
  vi.useRealTimers();
  const again = await runner.work(await runner.accept());
  await again.finish();
  expect(await readRun(run_id)).toMatchObject({ status: "succeeded", attempt: 2 });
});

it("does not repeat what the model may have done already", async () => {
  const routine = await buildRoutine();
  const runner = await FakeRunner.join({ id: "doomed" });
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const { lease } = await runner.accept().then(async (offer) => {
    const work = await runner.work(offer);
    await work.report(RUNNING);
    return offer;
  });
  const viewer = await watch(sessionId);
  const begun = await asking(run_id).beginModelCall(lease, "claude-sonnet-5");
  expect(begun.ok).toBe(true);
  runner.socket.close();
  using _again = await FakeRunner.join({ id: "doomed" });
  await viewer.until(() => eventsOf(viewer).some(({ type }) => type === "run.finished"));
  expect(await readRun(run_id)).toMatchObject({
    status: "failed",
    attempt: 1,
    error: { code: "runner_lost", phase: "agent" },
    evidence: { model_calls: 1 },
  });
});

it("ends a run that no runner takes", async () => {
  const routine = await buildRoutine();
  const { run_id } = await fired(routine);
  await vi.waitUntil(async () => (await readRun(run_id)).environment?.revision === 0);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * 3_600_000 });
  await runDurableObjectAlarm(ownerOf(run_id));
  vi.useRealTimers();
  expect(await readRun(run_id)).toMatchObject({
    status: "failed",
    error: { code: "no_runner", phase: "provisioning" },
  });
});

it("gives a lease to another runner when the first does not take it", async () => {
  const routine = await buildRoutine({ retry: { max: 1, backoff: "100ms" } });
  using runner = await FakeRunner.join({ id: "absent-minded" });
  const { run_id } = await fired(routine);
  await runner.seeOffer();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 11_000 });
  await runDurableObjectAlarm(defaultPool());
  await vi.waitUntil(async () => (await readRun(run_id)).attempt === 2);
  vi.setSystemTime(Date.now() + 1_000);
  await runDurableObjectAlarm(ownerOf(run_id));
  vi.useRealTimers();
  const work = await runner.work(await runner.accept());
  await work.finish();
  expect(await readRun(run_id)).toMatchObject({ status: "succeeded", attempt: 2 });
});

it("gives a run that has ended again when somebody asks: the same input, once per key, in a session of its own", async () => {
  const routine = await buildRoutine({ retry: { max: 0, backoff: "1s" } });
  using runner = await FakeRunner.join();
  const { run_id, claude_code_session_id } = await fired(routine, { text: "Ship version 7." });
  const retry = (key: string, id = run_id) =>
    call<Admission>("POST", `/api/v1/runs/${id}/retry`, undefined, { "idempotency-key": key });
  expect(await retry("early")).toMatchObject({
    status: 409,
    body: { error: { details: { code: "run_not_settled" } } },
  });
  await (await runner.work(await runner.accept())).finish(BROKEN);

  // Also while the routine is paused, as run now.
  await call("POST", `/api/v1/routines/${routine.id}/pause`);
  const { status, body: first } = await retry("key-1");
  expect(status).toBe(200);
  expect(await retry("key-1")).toMatchObject({ status: 200, body: { ...first, duplicate: true } });
  expect(await retry("key-1", first.run_id)).toMatchObject({ status: 409 });
  expect(first.session_id).not.toBe(claude_code_session_id);
  const made = await readRun(first.run_id);
  expect(made).toMatchObject({ retry_of: run_id, attempt: 1, trigger: { type: "api" } });
  const texts = (await readTranscript(first.session_id)).flatMap((event) =>
    event.type === "user.message" && event.source === "trigger" ? [event.text] : [],
  );
  expect(texts).toEqual(["Ship version 7."]);

  await (await runner.work(await runner.accept())).finish(BROKEN);
  expect(await retry("key-1", first.run_id)).toMatchObject({
    status: 422,
    body: { error: { details: { code: "idempotency_key_reused" } } },
  });
  const { body } = await call<Page<Occurrence>>("GET", `/api/v1/routines/${routine.id}/occurrences`);
  expect(body.data.map(({ outcome, retry_of }) => [outcome, retry_of])).toEqual([
    ["refused", first.run_id],
    ["duplicate", run_id],
    ["started", run_id],
    ["started", undefined],
  ]);
});

it("goes on in the session where a message is given again: by hand, or as a dead letter that no runner ever had", async () => {
  const routine = await buildRoutine({ retry: { max: 0, backoff: "1s" } });
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const taskOf = ({ order }: FakeWork) => z.object({ task: z.string() }).parse(order).task;
  const text = "Also the docs, please.";
  const said = await (async () => {
    using runner = await FakeRunner.join();
    await (await runner.work(await runner.accept())).finish();
    const answer = await call<MessageAnswer>("POST", `/api/v1/sessions/${sessionId}/messages`, { text });
    await (await runner.work(await runner.accept())).finish(BROKEN);
    return answer.body;
  })();
  expect(said.run_id).not.toBe(run_id);
  // Its first answer is lost with the object's memory: asked again, it is said once.
  vi.spyOn(console, "error").mockImplementation(() => {});
  using _reset = resetAt("retryRun", "after");
  const { body: retried } = await call<Admission>("POST", `/api/v1/runs/${said.run_id}/retry`);
  expect(retried).toMatchObject({ session_id: sessionId, duplicate: false });
  await vi.waitUntil(async () => (await readRun(retried.run_id)).environment?.revision === 0);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * 3_600_000 });
  await runDurableObjectAlarm(ownerOf(retried.run_id));
  vi.useRealTimers();
  expect(await readRun(retried.run_id)).toMatchObject({ status: "failed", retry_of: said.run_id });
  const { occurrence_id } = (await readRun(retried.run_id)).trigger;

  using runner = await FakeRunner.join();
  const { body: again } = await call<Admission>("POST", `/api/v1/dead-letters/${occurrence_id}/fire`);
  expect(again.session_id).toBe(sessionId);
  const work = await runner.work(await runner.accept());
  expect(taskOf(work).endsWith(text)).toBe(true);
  const said_in = (await readTranscript(sessionId)).flatMap((event) =>
    event.type === "user.message" && event.source === "person" ? [[event.run_id, event.text, event.undelivered]] : [],
  );
  expect(said_in).toEqual([
    [said.run_id, text, undefined],
    [retried.run_id, text, true],
    [again.run_id, text, undefined],
  ]);
  await work.finish(BROKEN);

  // A person may say something while the routine is paused; and what was said ends with the session.
  await call("POST", `/api/v1/routines/${routine.id}/pause`);
  const { body: more } = await call<MessageAnswer>("POST", `/api/v1/sessions/${sessionId}/messages`, { text });
  await (await runner.work(await runner.accept())).finish(BROKEN);
  const letter = (await readRun(more.run_id)).trigger.occurrence_id;
  expect((await call("DELETE", `/api/v1/sessions/${sessionId}`)).status).toBe(204);
  expect(await call("POST", `/api/v1/dead-letters/${letter}/fire`)).toMatchObject({
    status: 422,
    body: { error: { details: { code: "session_deleted" } } },
  });
});

it("says no more again than one task may have, and names the remedy", async () => {
  const routine = await buildRoutine({ retry: { max: 0, backoff: "1s" } });
  const { claude_code_session_id: sessionId } = await fired(routine);
  using runner = await FakeRunner.join();
  await (await runner.work(await runner.accept())).finish();
  const say = () =>
    call<MessageAnswer>("POST", `/api/v1/sessions/${sessionId}/messages`, { text: "Much to say. ".repeat(5_000) });
  const { run_id: runId } = (await say()).body;
  const work = await runner.work(await runner.accept());
  // Its agent gets none of these.
  for (let count = 0; count < 6; count += 1) expect((await say()).body.run_id).toBe(runId);
  await work.finish(BROKEN);
  expect(await call("POST", `/api/v1/runs/${runId}/retry`)).toMatchObject({
    status: 422,
    body: { error: { details: { code: "too_much_said" } } },
  });
  expect((await say()).status).toBe(200);
  await (await runner.work(await runner.accept())).finish();
});
