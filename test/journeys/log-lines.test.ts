/** The log tells each run's story in lines that ids connect, once, and nothing of what people and agents have written. */
import { createScheduledController, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { writeWaitingLines } from "#protocol/log.ts";
import type { LogFields } from "#protocol/log-events.ts";
import { runError } from "#protocol/run-errors.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { buildRoutine, call, fire, fired, readRun } from "#test/support/api.ts";
import { runsOf, workOn } from "#test/support/chains.ts";
import { post } from "#test/support/deliver.ts";
import { agentSays, FakeRunner, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { type Log, listen } from "#test/support/log-lines.ts";
import { asking, ownerOf } from "#test/support/objects.ts";
import worker from "#worker/index.ts";

const CANARY = "canary-5f0c2e";
const SECRET = `secret-of-the-endpoint-${CANARY}`;
const NOTHING_SEEN = { turns: 0, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 };

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function endpointOf(input: Record<string, unknown> = {}) {
  const routine = await buildRoutine({
    name: `routine ${CANARY} ${crypto.randomUUID()}`,
    prompt: `Keep ${CANARY} to yourself.`,
    triggers: [{ type: "api" }, { type: "webhook", source: "generic" }],
    ...input,
  });
  const triggerId = routine.triggers.find(({ type }) => type === "webhook")?.id ?? "";
  await call("POST", `/api/v1/routines/${routine.id}/triggers/${triggerId}/secret`, { secret: SECRET });
  return { routine, triggerId, path: `/webhooks/generic/${triggerId}` };
}

async function deliver(
  path: string,
  id: string,
  secret = SECRET,
  body = JSON.stringify({ type: CANARY, text: CANARY }),
) {
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json", "idempotency-key": id };
  return post(path, body, { ...headers, "x-request-id": CANARY, "user-agent": CANARY });
}

/** The lines about a run, in their order: what of each, without its ids. */
const storyOf = (log: Log, runId: string) =>
  log.lines().flatMap((line) => (line["run_id"] === runId ? [line.what] : []));

describe("a webhook", () => {
  it("can be followed to the end of its run by ids alone", async () => {
    const { routine, triggerId, path } = await endpointOf();
    using runner = await FakeRunner.join({ id: "runner-1" });
    const log = listen();
    const answer = await (await deliver(path, "evt-1")).json<{ delivery_id: string }>();
    const work = await workOn(runner, (await runsOf(routine.id))[0]?.id ?? "");
    await work.report(RUNNING, agentSays(`I found ${CANARY}.`));
    await work.finish();

    const [handled] = log.of("delivery_handled").filter(({ delivery_id }) => delivery_id === answer.delivery_id);
    expect(handled).toMatchObject({ trigger_id: triggerId, status: "handled", triggers: 1, occurrences: 1, runs: 1 });
    const [decided] = log.of("occurrence_decided").filter(({ delivery_id }) => delivery_id === answer.delivery_id);
    expect(decided).toMatchObject({ routine_id: routine.id, trigger_id: triggerId, trigger: "webhook" });
    const runId = decided?.run_id ?? "";
    expect(storyOf(log, runId)).toEqual(["occurrence_decided", "run_leased", "run_started", "run_ended"]);
    const run = await readRun(runId);
    const attempt = { run_id: runId, session_id: run.session_id, routine_id: routine.id, generation: 1 };
    expect(log.of("run_leased")).toMatchObject([{ ...attempt, runner_id: "runner-1" }]);
    expect(log.of("run_started")).toMatchObject([{ ...attempt, runner_id: "runner-1" }]);
    expect(log.of("run_ended")).toMatchObject([{ ...attempt, runner_id: "runner-1", status: "succeeded" }]);
  });

  it("that comes again is told as a duplicate, once, and starts no story of its own", async () => {
    const { path } = await endpointOf();
    const log = listen();
    const ids: string[] = [];
    for (let count = 0; count < 2; count += 1) {
      ids.push((await (await deliver(path, "evt-2")).json<{ delivery_id: string }>()).delivery_id);
    }
    expect(log.of("delivery_handled").map(({ delivery_id, status }) => [delivery_id, status])).toEqual([
      [ids[0], "handled"],
      [ids[1], "duplicate"],
    ]);
    const decided = log.of("occurrence_decided");
    expect(decided.map(({ delivery_id, outcome }) => [delivery_id, outcome])).toEqual([
      [ids[0], "started"],
      [ids[1], "duplicate"],
    ]);
    expect(decided[1]?.run_id).toBe(decided[0]?.run_id);
  });

  it("offered again, because the answer was lost, is told once", async () => {
    const { path } = await endpointOf();
    const log = listen();
    const { delivery_id } = await (await deliver(path, "evt-3")).json<{ delivery_id: string }>();
    await env.DB.prepare("UPDATE deliveries SET status = 'stored', next_at = 0 WHERE id = ?").bind(delivery_id).run();
    await call("POST", `/api/v1/deliveries/${delivery_id}/replay`);
    expect(log.of("occurrence_decided")).toHaveLength(1);
  });

  it("that is not believed is told with its request and its endpoint", async () => {
    const { path, triggerId } = await endpointOf();
    const log = listen();
    const answer = await deliver(path, "evt-4", `${CANARY}-wrong`);
    expect(log.of("webhook_refused")).toEqual([
      {
        request_id: answer.headers.get("request-id"),
        trigger_id: triggerId,
        source: "generic",
        reason: "token_wrong",
      },
    ]);
    expect(log.of("occurrence_decided")).toEqual([]);
  });
});

describe("a fire", () => {
  it("writes one line, with its request's id; one that is refused, one", async () => {
    const routine = await buildRoutine();
    const log = listen();
    const answer = await fire(routine, { text: CANARY });
    const request_id = answer.headers.get("request-id");
    expect(log.lines().map(({ what }) => what)).toEqual(["occurrence_decided"]);
    expect(log.of("occurrence_decided")).toMatchObject([
      { request_id, delivery_id: null, run_id: answer.body.run_id, outcome: "started", reason: "admitted" },
    ]);
    const refused = await fire({ id: routine.id, token: "rvf_wrong" });
    expect(log.lines().slice(1)).toMatchObject([
      { what: "fire_refused", request_id: refused.headers.get("request-id"), code: "routine_token_invalid" },
    ]);
  });

  it("is told with the next minute where its object is gone before its line was written", async () => {
    const routine = await buildRoutine();
    writeWaitingLines();
    const writes: unknown[] = [];
    vi.spyOn(console, "info").mockImplementation((write) => void writes.push(write));
    const setTimer = globalThis.setTimeout;
    const withoutTheirs = (run: () => void, ms?: number) => (run === writeWaitingLines ? 0 : setTimer(run, ms));
    vi.spyOn(globalThis, "setTimeout").mockImplementation(withoutTheirs as typeof setTimeout);
    const { run_id } = await fired(routine);
    expect(writes).toEqual([]);
    await worker.scheduled(createScheduledController({ scheduledTime: new Date(), cron: "* * * * *" }), env);
    expect(writes.join("\n")).toContain(run_id);
    // So that it takes no runner of those that follow.
    await call("POST", `/api/v1/runs/${run_id}/cancel`);
  });

  it("is told in no line when its transaction is rolled back", async () => {
    const routine = await buildRoutine();
    const log = listen();
    const faulty = "CREATE TRIGGER fails BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'no'); END";
    await runInDurableObject(ownerOf(routine.id), (_object, { storage }) => void storage.sql.exec(faulty));
    expect((await fire(routine)).status).toBeGreaterThanOrEqual(500);
    expect(log.of("occurrence_decided")).toEqual([]);
  });
});

describe("a run", () => {
  it("that fails before the model was called is told as retried, with why, and ends with its last attempt", async () => {
    const routine = await buildRoutine({ retry: { max: 1, backoff: "1s" } });
    using runner = await FakeRunner.join({ id: "runner-2" });
    const log = listen();
    const { run_id } = await fired(routine);
    const error = { ...runError("runner_failed", "setup"), message: `It said ${CANARY}.` };
    const broken: FrameBody = {
      kind: "finished",
      outcome: { status: "failed", error },
      report: null,
      seen: NOTHING_SEEN,
    };
    await (await workOn(runner, run_id)).finish(broken);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2_000 });
    await runDurableObjectAlarm(ownerOf(run_id));
    vi.useRealTimers();
    await (await workOn(runner, run_id)).finish(broken);
    expect(storyOf(log, run_id)).toEqual([
      "occurrence_decided",
      "run_leased",
      "run_retried",
      "run_leased",
      "run_ended",
      "routine_health",
    ]);
    expect(log.of("routine_health")).toMatchObject([{ run_id, change: "failing", failures: 1 }]);
    expect(log.of("run_retried")).toMatchObject([{ generation: 1, next_generation: 2, code: "runner_failed" }]);
    expect(log.of("run_ended")).toMatchObject([{ generation: 2, status: "failed", code: "runner_failed" }]);
    expect(log.text()).not.toContain(CANARY);
  });

  it("that is canceled while it waits ends without a runner", async () => {
    const routine = await buildRoutine({ max_concurrent: 1 });
    await fired(routine);
    const log = listen();
    const { run_id } = await fired(routine);
    await call("POST", `/api/v1/runs/${run_id}/cancel`);
    expect(log.of("run_ended")).toMatchObject([
      { run_id, status: "canceled", cancel_reason: "by_user", runner_id: null, code: null },
    ] satisfies Partial<LogFields<"run_ended">>[]);
  });

  it("writes no line for what its agent says, and nothing of prompt, payload, answer or token is in any", async () => {
    const { routine, path } = await endpointOf({ tags: { team: CANARY } });
    using runner = await FakeRunner.join();
    const log = listen();
    await deliver(path, "evt-5");
    const work = await workOn(runner, (await runsOf(routine.id))[0]?.id ?? "");
    const { offer } = work;
    await work.report(RUNNING);
    const before = log.lines().length;
    for (let count = 0; count < 20; count += 1) await work.report(agentSays(`${count} ${CANARY}`));
    expect(log.lines()).toHaveLength(before);
    const run = await asking(offer.lease.run_id).beginModelCall(offer.lease, "claude-sonnet-5");
    expect(run.ok).toBe(true);
    const report = { result: "done" as const, summary: `Done with ${CANARY}.` };
    await work.finish({ ...SUCCEEDED, report } as FrameBody);
    // The same again by hand and by the API, and a body that is no JSON.
    await fire(routine, { text: CANARY }, { "idempotency-key": CANARY });
    await call("POST", `/api/v1/routines/${routine.id}/run`, { text: CANARY });
    await call("POST", "/api/v1/events", { name: CANARY, payload: { text: CANARY }, dedupe_key: CANARY });
    await deliver(path, "evt-6", SECRET, `{"${CANARY}": `);
    expect(log.lines().length).toBeGreaterThan(before + 4);
    for (const hidden of [CANARY, routine.token, offer.link_token, offer.proxy_token]) {
      expect(log.text()).not.toContain(hidden);
    }
  });
});
