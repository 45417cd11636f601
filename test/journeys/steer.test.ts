/** Messages and interrupts of people: to the run that is on, once and in order, or to one that they start. */
import { expect, it } from "vitest";
import type { MessageAnswer } from "#protocol/message.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import type { SignIn } from "#protocol/sign-in.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { buildRoutine, call, eventsOf, fired, readRun, readTranscript, watch } from "#test/support/api.ts";
import { asBrowser, signIn } from "#test/support/browser.ts";
import { agentSays, CANCELED, FakeRunner, type FakeWork, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { evictOwnerOf } from "#test/support/objects.ts";
import { dial, type TestSocket } from "#test/support/test-socket.ts";

const STEER = ["steer"];
const IDLE: FrameBody = { kind: "idle" };
const took = (n: number): FrameBody => ({ kind: "took", n });

async function said(sessionId: string, id: string, text = `text of ${id}`): Promise<MessageAnswer> {
  const { status, body } = await call<MessageAnswer>("POST", `/api/v1/sessions/${sessionId}/messages`, { id, text });
  expect(status).toBe(200);
  return body;
}

function interrupted(viewer: TestSocket, id: string) {
  viewer.send({ type: "interrupt", id });
  return viewer.next((message) => (message.type === "accepted" || message.type === "rejected") && message["id"] === id);
}

/** Messages as the link has brought them so far. */
function brought({ link }: FakeWork): unknown[] {
  return link.messages.filter(({ type }) => type === "message").map(({ id }) => id);
}

function people(events: readonly TranscriptEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === "user.message" && event.source === "person"
      ? [`${event.message_id}${event.undelivered ? " undelivered" : ""}`]
      : [],
  );
}

it("brings messages to the agent in their order, each once, and shows them where the agent got them", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  // Before there is a runner: kept.
  const first = await said(sessionId, "m1");
  expect(first).toEqual({ id: "m1", session_id: sessionId, run_id, duplicate: false });
  const work = await runner.work(await runner.accept(), STEER);
  await work.link.next(({ type, id }) => type === "message" && id === "m1");
  await work.report(RUNNING);
  const [ann, ben] = [await watch(sessionId), await watch(sessionId)];
  ann.send({ type: "message", id: "m2", text: "from a viewer" });
  await ann.next(({ type, id }) => type === "accepted" && id === "m2");
  // Said again, also by another way, it is the same.
  expect(await said(sessionId, "m2", "anything")).toMatchObject({ run_id, duplicate: true });
  await evictOwnerOf(sessionId);
  await work.connect();
  await work.link.next(({ type, id }) => type === "message" && id === "m2");
  expect(brought(work)).toEqual(["m1", "m2"]);
  await work.report(took(1), agentSays("between"), took(2));
  const third = await said(sessionId, "m3");
  expect(third.run_id).toBe(run_id);
  // The agent is done, and a message waits: the run goes on.
  await work.report(IDLE);
  expect((await readRun(run_id)).status).toBe("running");
  await work.report(took(3), IDLE);
  await work.link.next(({ type }) => type === "close");
  // From then on a message is for another run of the session, which begins when this one has ended.
  const late = await said(sessionId, "m4");
  expect(late.run_id).not.toBe(run_id);
  expect((await readRun(late.run_id)).status).toBe("queued");
  expect((await said(sessionId, "m5")).run_id).toBe(late.run_id);
  await work.finish(SUCCEEDED);
  expect((await readRun(run_id)).status).toBe("succeeded");
  const next = await runner.work(await runner.accept(), STEER);
  expect(next.offer.lease.run_id).toBe(late.run_id);
  // What it was started with is its task.
  expect(next.order).toMatchObject({ task: expect.stringMatching(/text of m4\n\ntext of m5$/) });
  await next.report(RUNNING, IDLE);
  await next.link.next(({ type }) => type === "close");
  await next.finish(SUCCEEDED);
  const events = await readTranscript(sessionId);
  expect(people(events)).toEqual(["m1", "m2", "m3", "m4", "m5"]);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  for (const viewer of [ann, ben]) {
    await viewer.until(() => people(eventsOf(viewer)).length === 5);
    expect(people(eventsOf(viewer))).toEqual(["m1", "m2", "m3", "m4", "m5"]);
  }
  expect(await readRun(late.run_id)).toMatchObject({
    session_id: sessionId,
    trigger: { type: "message", summary: "Message from owner: text of m4" },
  });
});

it("interrupts the turn that is on, waits, and goes on with the next message", async () => {
  const routine = await buildRoutine({ max_concurrent: 1 });
  using runner = await FakeRunner.join();
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const viewer = await watch(sessionId);
  expect(await interrupted(viewer, "i0")).toMatchObject({ type: "rejected", code: "nothing_to_interrupt" });
  const work = await runner.work(await runner.accept(), STEER);
  await work.report(RUNNING);
  expect(await interrupted(viewer, "i1")).toMatchObject({ type: "accepted" });
  // While it is under way another does nothing more.
  expect(await interrupted(viewer, "i2")).toMatchObject({ type: "accepted" });
  expect(work.link.messages.filter(({ type }) => type === "interrupt")).toHaveLength(1);
  await work.report(took(1), { kind: "waiting", for: "message" });
  expect(await readRun(run_id)).toMatchObject({ status: "waiting", waiting: { for: "message", until: null } });
  // It holds no place meanwhile.
  await fired(routine);
  const other = await runner.work(await runner.accept(), STEER);
  await evictOwnerOf(sessionId);
  await Promise.all([work.connect(), other.connect()]);
  await said(sessionId, "go on");
  expect((await readRun(run_id)).status).toBe("running");
  await work.link.next(({ type, id }) => type === "message" && id === "go on");
  await work.report(took(2), IDLE);
  await work.finish(SUCCEEDED);
  await other.finish(SUCCEEDED);
  const types = (await readTranscript(sessionId)).map(({ type }) => type);
  const from = types.indexOf("run.interrupted");
  expect(types.slice(from)).toEqual([
    "run.interrupted",
    "run.waiting",
    "run.continued",
    "user.message",
    "run.finished",
  ]);
});

it("shows what no agent has got, and starts another run for it where the runner knows of no messages", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const canceled = await fired(routine);
  const work = await runner.work(await runner.accept(), STEER);
  await work.report(RUNNING);
  await said(canceled.claude_code_session_id, "unheard");
  await call("POST", `/api/v1/runs/${canceled.run_id}/cancel`);
  await work.finish(CANCELED);
  const events = await readTranscript(canceled.claude_code_session_id);
  expect(people(events)).toEqual(["unheard undelivered"]);
  expect(events.at(-1)).toMatchObject({ type: "run.finished", status: "canceled" });

  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const earlier = await runner.work(await runner.accept());
  await earlier.report(RUNNING);
  expect((await said(sessionId, "later")).run_id).toBe(run_id);
  const refused = await interrupted(await watch(sessionId), "i3");
  expect(refused).toMatchObject({ type: "rejected", code: "runner_not_steered" });
  await earlier.finish(SUCCEEDED);
  const next = await runner.work(await runner.accept(), STEER);
  expect(next.offer.lease.run_id).not.toBe(run_id);
  expect(next.order).toMatchObject({ task: expect.stringMatching(/text of later$/) });
  await next.report(RUNNING, IDLE);
  await next.finish(SUCCEEDED);
  expect(people(await readTranscript(sessionId))).toEqual(["later"]);
});

it("does not wait for a message that had come when its runner said so", async () => {
  using runner = await FakeRunner.join();
  const { run_id, claude_code_session_id: sessionId } = await fired(await buildRoutine());
  const work = await runner.work(await runner.accept(), STEER);
  await work.report(RUNNING);
  await interrupted(await watch(sessionId), "i1");
  await work.report(took(1));
  // On their ways, the message and the frame cross.
  await said(sessionId, "m1");
  await work.report({ kind: "waiting", for: "message" });
  expect((await readRun(run_id)).status).toBe("running");
  await work.report(took(2), IDLE);
  await work.link.next(({ type }) => type === "close");
  await work.finish(SUCCEEDED);
});

it("takes no message without words, whichever way it comes", async () => {
  const { claude_code_session_id: sessionId } = await fired(await buildRoutine());
  for (const text of ["", " \n\u00a0", "x".repeat(65_537)]) {
    const refused = await call("POST", `/api/v1/sessions/${sessionId}/messages`, { text });
    expect(refused).toMatchObject({ status: 400, body: { error: { details: { field: "text" } } } });
    const viewer = await watch(sessionId);
    viewer.send({ type: "message", id: "m1", text });
    expect(await viewer.next(({ id }) => id === "m1")).toMatchObject({ type: "rejected", code: "invalid_request" });
  }
});

it("gives what comes while a run of messages is on to another, where the runner knows of none", async () => {
  using runner = await FakeRunner.join();
  const { claude_code_session_id: sessionId } = await fired(await buildRoutine());
  const first = await runner.work(await runner.accept());
  await first.report(RUNNING);
  await first.finish(SUCCEEDED);
  await said(sessionId, "m1");
  const second = await runner.work(await runner.accept());
  await second.report(RUNNING);
  await said(sessionId, "m2");
  await second.finish(SUCCEEDED);
  const third = await runner.work(await runner.accept());
  expect(third.order).toMatchObject({ task: expect.stringMatching(/text of m2$/) });
  await third.report(RUNNING);
  await third.finish(SUCCEEDED);
  expect(people(await readTranscript(sessionId))).toEqual(["m1", "m2"]);
});

it("says which sign-in it was by whom a browser's message was sent, whatever let its socket in", async () => {
  using runner = await FakeRunner.join();
  const { claude_code_session_id: sessionId } = await fired(await buildRoutine());
  const work = await runner.work(await runner.accept(), STEER);
  await work.report(RUNNING);
  const browser = await signIn();
  const listed = await asBrowser("GET", "/api/v1/sign-ins", browser);
  const { data } = await listed.json<{ data: SignIn[] }>();
  const by = { kind: "web", id: data.find(({ current }) => current)?.id, name: "browser" };
  const issued = await asBrowser("POST", `/api/v1/sessions/${sessionId}/ticket`, browser);
  const { ticket } = await issued.json<{ ticket: string }>();
  const at = `/api/v1/sessions/${sessionId}/live`;
  for (const [index, socket] of [await dial(at, browser), await dial(`${at}?ticket=${ticket}`)].entries()) {
    socket.send({ type: "message", id: `m${index}`, text: "Mind the gap." });
    await work.link.next(({ type, id }) => type === "message" && id === `m${index}`);
    await work.report(took(index + 1));
    expect(await socket.next(({ message_id }) => message_id === `m${index}`)).toMatchObject({ source: "person", by });
  }
  await work.report(IDLE);
  await work.finish(SUCCEEDED);
});
