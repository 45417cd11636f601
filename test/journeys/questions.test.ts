/** An agent asks: people see it, the first answer counts, and goes to the runner that waits for it. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AskedQuestion } from "#protocol/question.ts";
import { type FrameBody, RUNNER_PROTOCOL } from "#protocol/runner-link.ts";
import { buildRoutine, call, fired, readRun, readTranscript } from "#test/support/api.ts";
import { FakeRunner, type FakeWork, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { defaultPool, evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import {
  APPROVAL,
  answer,
  asking,
  asks,
  goesOn,
  heard,
  later,
  PARKS,
  parked,
  QUESTION,
  resultOf,
  told,
  toldToPark,
  typesOf,
} from "#test/support/questions.ts";
import { dial } from "#test/support/test-socket.ts";

afterEach(() => void vi.useRealTimers());

it("gives a run with a tool policy to a runner that keeps to it, and to no other", async () => {
  const tools = { deny: ["WebFetch"], ask: ["Bash(git push:*)"] };
  const routine = await buildRoutine({ tools });
  using old = await FakeRunner.join({ id: "old", features: [] });
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const steps = async () => JSON.stringify(await readTranscript(sessionId));
  await expect.poll(steps).toContain("The run waits.");
  using runner = await FakeRunner.join();
  const work = await runner.work(await runner.accept(), ["tools"]);
  expect(work.order).toMatchObject({ run_id, tools, asks: true, answer: null });
  await work.finish(SUCCEEDED);
  expect(old.socket.messages.filter(({ type }) => type === "offer")).toEqual([]);
});

it("fails a run by name whose runner registered for more than it does", async () => {
  const routine = await buildRoutine({ tools: { deny: ["WebFetch"] } });
  using runner = await FakeRunner.join();
  const { run_id } = await fired(routine);
  const { lease, link_token } = await runner.accept();
  const link = await dial(`/runner/runs/${lease.run_id}/link`, { authorization: `Bearer ${link_token}` });
  link.send({ type: "hello", protocol: RUNNER_PROTOCOL, runner: { kind: "local", id: runner.id } });
  await link.until(() => link.closed !== null);
  expect(await readRun(run_id)).toMatchObject({ status: "failed", error: { code: "runner_without_tools" } });
});

it("waits for an answer, of which the first counts, also when two come at once", async () => {
  using runner = await FakeRunner.join();
  const { runId, sessionId, work } = await asking(runner, QUESTION);
  const { kind: _kind, input_hash: _hash, ...shown } = QUESTION;
  const { call: _call, ...inRun } = shown;
  expect(await readRun(runId)).toMatchObject({ status: "waiting", waiting: { for: "question", question: inRun } });
  expect((await readTranscript(sessionId)).at(-1)).toMatchObject({ type: "run.waiting", question: shown });
  // No turn goes on that could be stopped.
  expect((await call("POST", `/api/v1/sessions/${sessionId}/interrupt`)).status).toBe(409);

  const answers = await Promise.all(
    ["red", "blue"].map((choice) => answer(runId, { question_id: QUESTION.id, choice })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const refused = answers.find(({ status }) => status === 409)?.body.error;
  expect(refused?.details).toMatchObject({ code: "question_answered", answered_by: "owner" });
  const choice = answers[0]?.status === 200 ? "red" : "blue";
  const counted = { choice, by: { kind: "owner", name: "owner" } };
  expect(await heard(work)).toMatchObject({
    question_id: QUESTION.id,
    input_hash: QUESTION.input_hash,
    answer: counted,
  });
  expect((await readRun(runId)).status).toBe("running");

  // The runner may not have got it: it is said again until the agent's call has its result.
  await evictOwnerOf(runId);
  await work.connect();
  expect(await heard(work)).toMatchObject({ answer: counted });
  expect(work.order).toMatchObject({ answer: { question_id: QUESTION.id } });
  await work.report(resultOf(QUESTION.id));
  await work.connect();
  await work.report(resultOf("another"));
  expect(told(work)).toEqual([]);
  await work.finish(SUCCEEDED);
  expect(await typesOf(sessionId)).toEqual(
    expect.arrayContaining(["run.waiting", "question.answered", "run.continued", "run.finished"]),
  );
  expect((await answer(runId, { question_id: QUESTION.id, choice: "red" })).status).toBe(409);
});

it("asks again what its runner asks again, and tells what was answered meanwhile", async () => {
  using runner = await FakeRunner.join();
  const { runId, sessionId, work } = await asking(runner, QUESTION);
  await answer(runId, { question_id: QUESTION.id, text: "Neither." });
  await heard(work);
  await work.report(asks(QUESTION));
  await expect.poll(() => told(work)).toHaveLength(2);
  expect((await readRun(runId)).status).toBe("running");
  const answered = (await readTranscript(sessionId)).filter(({ type }) => type === "question.answered");
  expect(answered).toHaveLength(1);
  await work.finish(SUCCEEDED);
});

describe("when nobody has answered in time", () => {
  it.each<[string, AskedQuestion, object]>([
    ["a question's default counts", QUESTION, { choice: "red", by: null }],
    ["a default in other words counts", { ...QUESTION, default: "green" }, { text: "green", by: null }],
    ["a question without one has no answer", { ...QUESTION, default: null }, { by: null }],
    ["a call is refused", APPROVAL, { approve: false, by: null }],
  ])("%s", async (_name, question, expected) => {
    using runner = await FakeRunner.join();
    void runner.answerProbes();
    const { runId, sessionId, work } = await asking(runner, question);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 59 * 60_000 });
    // The pool looks after its runners, which have said nothing for all that time.
    await runDurableObjectAlarm(defaultPool());
    await runDurableObjectAlarm(ownerOf(runId));
    expect((await readRun(runId)).status).toBe("waiting");
    vi.setSystemTime(Date.now() + 61_000);
    await runDurableObjectAlarm(ownerOf(runId));
    const { answer: given } = (await heard(work)) as unknown as { answer: Record<string, unknown> };
    expect(given).toEqual({ ...expected, at: expect.any(String) });
    expect((await readTranscript(sessionId)).map(({ type }) => type)).toContain("question.answered");
    const late = await answer(runId, { question_id: question.id, text: "Late." });
    expect(late.body.error.details).toMatchObject({ code: "question_answered", answered_by: null });
    await work.finish(SUCCEEDED);
  });
});

it("takes no answer that does not fit, and none once nobody waits for it", async () => {
  using runner = await FakeRunner.join();
  const { runId, work } = await asking(runner, QUESTION);
  const id = QUESTION.id;
  for (const [body, status, field] of [
    [{ question_id: "toolu_other", choice: "red" }, 404, "question_id"],
    [{ question_id: id, choice: "green" }, 400, "choice"],
    [{ question_id: id, choice: "red", text: "x" }, 400, "text"],
    [{ question_id: id, approve: true }, 400, "approve"],
    [{ question_id: id }, 400, "choice"],
    [{ question_id: id, choise: "red" }, 400, "choise"],
    [{ choice: "red" }, 400, "question_id"],
  ] as const) {
    const refused = await answer(runId, body);
    expect([refused.status, JSON.stringify(refused.body.error.details)]).toEqual([
      status,
      expect.stringContaining(field),
    ]);
  }
  expect((await readRun(runId)).status).toBe("waiting");
  await call("POST", `/api/v1/runs/${runId}/cancel`);
  const closed = await answer(runId, { question_id: id, choice: "red" });
  expect(closed.body.error.details).toMatchObject({ code: "question_closed" });
  expect(told(work)).toEqual([]);
  await work.finish({ ...(SUCCEEDED as Extract<FrameBody, { kind: "finished" }>), outcome: { status: "canceled" } });
  expect((await readRun(runId)).status).toBe("canceled");
});

it("lets a person refuse a call, with the reason, or approve it", async () => {
  using runner = await FakeRunner.join();
  for (const said of [{ approve: false, text: "Not today." }, { approve: true }]) {
    const { runId, sessionId, work } = await asking(runner, APPROVAL);
    expect((await readTranscript(sessionId)).at(-1)).toMatchObject({ question: { call: APPROVAL.call } });
    expect((await answer(runId, { question_id: APPROVAL.id, choice: "red" })).status).toBe(400);
    expect((await answer(runId, { question_id: APPROVAL.id, ...said })).status).toBe(200);
    expect(await heard(work)).toMatchObject({ answer: said });
    await work.finish(SUCCEEDED);
  }
});

describe("without its sandbox", () => {
  it("waits on, holds nothing, and goes on with an answer of the next day before newer runs", async () => {
    const runner = await FakeRunner.join();
    const { routine, runId, sessionId, work } = await asking(runner, APPROVAL, { ...PARKS, max_concurrent: 1 });
    await toldToPark(runId, work);
    await work.finish(parked(APPROVAL.id));
    expect(await readRun(runId)).toMatchObject({ status: "waiting", runner: null, waiting: { held_until: null } });
    await evictOwnerOf(runId);
    await later(runId, 24 * 3_600_000);
    runner[Symbol.dispose]();
    using other = await FakeRunner.join({ id: "next-day" });
    const second = await fired(routine);
    const third = await fired(routine);
    const between = await other.work(await other.accept());
    expect(between.order).toMatchObject({ run_id: second.run_id });
    const answers = await Promise.all(
      [true, false].map((approve) => answer(runId, { question_id: APPROVAL.id, approve })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await readRun(runId)).toMatchObject({ status: "queued", attempt: 2 });
    await between.finish(SUCCEEDED);
    const next = await goesOn(other, runId);
    const approve = answers[0]?.status === 200;
    const { id: question_id, input_hash } = APPROVAL;
    const given = { question_id, input_hash, answer: { approve } };
    expect(next.order).toMatchObject({ continues: { put_off: APPROVAL.id }, answer: given });
    await next.report(RUNNING, resultOf(APPROVAL.id));
    await next.finish(SUCCEEDED);
    expect(await readRun(runId)).toMatchObject({ status: "succeeded", evidence: { turns: 6 } });
    const types = (await typesOf(sessionId)).filter((type) => /^(?:run|question)\.(?!step)/.test(type));
    expect(types.slice(types.indexOf("run.waiting"), -1)).toEqual([
      ...["run.waiting", "question.answered", "run.continued", "run.queued", "run.starting", "run.running"],
    ]);
    const last = await other.work(await other.accept());
    expect(last.order).toMatchObject({ run_id: third.run_id, continues: null });
    await last.finish(SUCCEEDED);
  });

  it("is canceled at once, and takes no answer then", async () => {
    using runner = await FakeRunner.join();
    const { runId, work } = await asking(runner, QUESTION, PARKS);
    await toldToPark(runId, work);
    await work.finish(parked(QUESTION.id));
    await call("POST", `/api/v1/runs/${runId}/cancel`);
    expect((await readRun(runId)).status).toBe("canceled");
    const closed = await answer(runId, { question_id: QUESTION.id, choice: "red" });
    expect(closed.body.error.details).toMatchObject({ code: "question_closed" });
  });

  it("goes on with the default when nobody has answered in time", async () => {
    const runner = await FakeRunner.join();
    const { runId, work } = await asking(runner, QUESTION, { ...PARKS, limits: { answer: "1h" } });
    await toldToPark(runId, work);
    await work.finish(parked(QUESTION.id));
    await later(runId, 3_600_000);
    runner[Symbol.dispose]();
    using other = await FakeRunner.join({ id: "an-hour-later" });
    const next = await goesOn(other, runId);
    expect(next.order).toMatchObject({ answer: { question_id: QUESTION.id, answer: { choice: "red", by: null } } });
    await next.finish(SUCCEEDED);
  });

  it("goes on with what comes while it is given up", async () => {
    using runner = await FakeRunner.join();
    const waits: FrameBody = { kind: "waiting", for: "message" };
    const { runId, sessionId, work } = await asking(runner, QUESTION, { ...PARKS, waits });
    await toldToPark(runId, work);
    await call("POST", `/api/v1/sessions/${sessionId}/messages`, { id: "m1", text: "Go on." });
    expect((await readRun(runId)).status).toBe("waiting");
    await work.connect();
    await work.link.next(({ type }) => type === "park");
    await work.finish(parked(null));
    const next = await goesOn(runner, runId);
    expect(next.order).toMatchObject({ continues: { put_off: null }, answer: null });
    const { n } = await next.link.next(({ type, text }) => type === "message" && text === "Go on.");
    await next.report(RUNNING, { kind: "took", n: Number(n) }, asks(QUESTION));
    // Once more, and with the answer this time; the runner ends before it has heard of it.
    await answer(runId, { question_id: QUESTION.id, choice: "blue" });
    expect((await readRun(runId)).status).toBe("running");
    await next.finish(parked(null));
    const third = await runner.work(await runner.accept(), PARKS.features);
    const given = { question_id: QUESTION.id, answer: { choice: "blue" } };
    expect(third.order).toMatchObject({ generation: 3, continues: { put_off: null }, answer: given });
    await third.report(RUNNING, waits);
    await third.connect();
    expect(third.order).toMatchObject({ answer: null });
    await third.finish(SUCCEEDED);
  });

  it("waits on when its runner is lost, and the agent of the next attempt is told the answer", async () => {
    const lost = await FakeRunner.join({ id: "lost" });
    const { runId } = await asking(lost, QUESTION, PARKS);
    lost[Symbol.dispose]();
    using runner = await FakeRunner.join({ id: "lost", boot: "another-process" });
    await expect.poll(async () => (await readRun(runId)).runner).toBeNull();
    expect(await readRun(runId)).toMatchObject({ status: "waiting", waiting: { held_until: null } });
    await answer(runId, { question_id: QUESTION.id, choice: "blue" });
    const next = await goesOn(runner, runId);
    expect(next.order).toMatchObject({ continues: { put_off: null }, answer: { answer: { choice: "blue" } } });
    await next.finish(SUCCEEDED);
  });

  /** The question is answered, and its runner is lost before anything has come of that. @param isCut whether its link was gone. */
  async function lostAfterAnswer(question: AskedQuestion, said: object, isCut: boolean) {
    const lost = await FakeRunner.join({ id: "lost" });
    const { runId, work } = await asking(lost, question, { ...PARKS, retry: { max: 0 } });
    if (isCut) work.link.close();
    if (isCut) await work.link.until(() => work.link.closed !== null);
    await answer(runId, { question_id: question.id, ...said });
    expect((await readRun(runId)).status).toBe("running");
    lost[Symbol.dispose]();
    return { runId, runner: await FakeRunner.join({ id: "lost", boot: "another-process" }) };
  }

  it.each<[string, AskedQuestion, object, boolean]>([
    ["an answer", QUESTION, { choice: "blue" }, false],
    ["a refusal", APPROVAL, { approve: false }, false],
    ["an approval that no runner has heard of", APPROVAL, { approve: true }, true],
  ])("goes on with %s when its runner is lost before anything has come of it", async (_what, question, said, isCut) => {
    const { runId, runner: again } = await lostAfterAnswer(question, said, isCut);
    using runner = again;
    const next = await runner.work(await runner.accept(), PARKS.features);
    const tool = question.call?.tool ?? null;
    expect(next.order).toMatchObject({ generation: 2, continues: { put_off: null }, answer: { tool, answer: said } });
    await next.report(RUNNING, resultOf("toolu_another"));
    // The agent has the answer by now, so it is told no other attempt.
    await next.connect();
    expect(next.order).toMatchObject({ answer: null });
    await next.finish(SUCCEEDED);
    expect((await readRun(runId)).status).toBe("succeeded");
  });

  /** A process under the tokens of this work says hello. */
  async function helloOf({ offer: { lease, link_token } }: FakeWork, boot: string) {
    const link = await dial(`/runner/runs/${lease.run_id}/link`, { authorization: `Bearer ${link_token}` });
    const { features } = PARKS;
    link.send({ type: "hello", protocol: RUNNER_PROTOCOL, runner: { kind: "local", id: "anew" }, boot, features });
    await link.until(() => link.closed !== null || link.messages.some(({ type }) => type === "welcome"));
  }

  it("goes on when another process of its runner's takes its place under the same tokens", async () => {
    using runner = await FakeRunner.join({ id: "anew" });
    const { runId, work } = await asking(runner, QUESTION, { ...PARKS, retry: { max: 0 } });
    await helloOf(work, "first-process");
    await answer(runId, { question_id: QUESTION.id, choice: "blue" });
    await helloOf(work, "second-process");
    const next = await runner.work(await runner.accept(), PARKS.features);
    expect(next.order).toMatchObject({ generation: 2, answer: { answer: { choice: "blue" } } });
    await next.finish(SUCCEEDED);
  });

  it("fails when its runner is lost that may have made a call which was approved", async () => {
    const { runId, runner } = await lostAfterAnswer(APPROVAL, { approve: true }, false);
    using _runner = runner;
    await expect
      .poll(async () => await readRun(runId))
      .toMatchObject({ status: "failed", error: { code: "runner_lost" } });
  });
});
