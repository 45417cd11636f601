/** Budgets: what the proxy has metered is what counts, calls at once can't overdraw, and a budget that is raised lets runs go on. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { Notification } from "#protocol/notification.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import type { Routine } from "#protocol/routine.ts";
import { nextMonthMs } from "#rules/run/budget.ts";
import { buildRoutine, call, fire, readRun, readTranscript } from "#test/support/api.ts";
import type { FakeWork } from "#test/support/fake-runner.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import { MODEL, ProxyBed } from "#test/worker/proxy-bed.ts";
import { type Asked, ask } from "#test/worker/support.ts";

const bed = ProxyBed.make();
afterEach(() => void vi.useRealTimers());

/** A model that is in no list costs as the dearest: 0.001815 dollars for what its answers use, and at most 0.0079 each. */
const COST = 0.001815;
const asked: Asked = { method: "POST", body: { model: MODEL, max_tokens: 100, messages: [] } };
const ANSWER = '{"type":"message","usage":{"input_tokens":11,"output_tokens":22}}';
const answered = () => new Response(ANSWER, { headers: { "content-type": "application/json" } });
/** How the agent of a run ends whose calls are refused. */
const ENDED = {
  kind: "finished",
  outcome: {
    status: "failed",
    error: { code: "model_request_refused", message: "Refused.", hint: "Look.", phase: "agent" },
  },
  report: null,
  seen: { turns: 1, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
} as const;

async function told(answer: Response) {
  const { error } = JSON.parse(await answer.text()) as ErrorBody;
  return { status: answer.status, code: error.details?.code, retry: answer.headers.get("x-should-retry"), error };
}
const finish = (work: FakeWork) => work.finish(ENDED);

describe("the budget of a run", () => {
  it("stops it when it is spent, and lets it go on when it is raised", async () => {
    bed.upstream = answered;
    const { proxy, work, runId, sessionId } = await bed.begin(MODEL, undefined, {
      limits: { budget_usd: 0.001 },
      notify: [{ on: ["budget"], slack: "{{NO_SUCH_SECRET}}" }],
    });
    expect(await (await proxy("/model/v1/messages", asked)).text()).toBe(ANSWER);
    expect((await readRun(runId)).usage).toMatchObject({ metered_cost_usd: COST, estimated: true });

    const refused = await told(await proxy("/model/v1/messages", asked));
    expect(refused).toMatchObject({ status: 422, code: "budget", retry: "false" });
    expect(refused.error.message).toContain("limits.budget_usd is 0.001");
    expect(await readRun(runId)).toMatchObject({ status: "waiting", waiting: { for: "budget", held_until: null } });
    expect(await told(await proxy("/model/v1/messages", asked))).toMatchObject({ code: "budget" });
    const { routine_id } = await readRun(runId);
    await vi.waitFor(async () => {
      const { body } = await call<Page<Notification>>("GET", `/api/v1/notifications?routine=${routine_id}`);
      expect(body.data).toMatchObject([{ kind: "budget", run_id: runId }]);
    });
    await finish(work);
    await vi.waitUntil(async () => (await readRun(runId)).runner === null);
    expect(bed.asked).toHaveLength(1);

    const raise = (budget_usd: number) =>
      call<Routine>("PATCH", `/api/v1/routines/${routine_id}`, { limits: { budget_usd } });
    await raise(0.0015);
    expect((await readRun(runId)).status).toBe("waiting");
    await evictOwnerOf(runId);
    await raise(1);
    const next = await bed.takeUp(runId);
    expect(await (await next.proxy("/model/v1/messages", asked)).text()).toBe(ANSWER);
    await next.work.finish();
    await vi.waitUntil(async () => (await readRun(runId)).status === "succeeded");
    expect(await readRun(runId)).toMatchObject({ attempt: 2, usage: { metered_cost_usd: 2 * COST } });
    const events = (await readTranscript(sessionId)).flatMap((event) =>
      event.type === "run.waiting" || event.type === "run.continued" ? [event.type] : [],
    );
    expect(events).toEqual(["run.waiting", "run.continued"]);
    const unknown = (await readTranscript(sessionId)).filter(
      (event) => event.type === "notice" && event.code === "model_price_unknown",
    );
    expect(unknown).toHaveLength(2);
  });

  it("is free again when a call that was given up for lost has ended after all", async () => {
    let end: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    bed.upstream = async () => {
      await held;
      return answered();
    };
    const { proxy, work, runId } = await bed.begin(MODEL, undefined, { limits: { budget_usd: 0.005 } });
    const slow = proxy("/model/v1/messages", asked);
    await vi.waitUntil(() => bed.asked.length === 1);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 11 * 60_000 });
    expect(await told(await proxy("/model/v1/messages", asked))).toMatchObject({ status: 422, code: "budget" });
    await finish(work);
    await vi.waitUntil(async () => (await readRun(runId)).runner === null);
    expect(await readRun(runId)).toMatchObject({ status: "waiting", waiting: { for: "budget", until: null } });
    end();
    await slow.then((answer) => answer.text());
    await vi.waitUntil(async () => (await readRun(runId)).status !== "waiting");
    expect(await readRun(runId)).toMatchObject({ attempt: 2, usage: { metered_cost_usd: COST } });
    vi.useRealTimers();
    await (await bed.takeUp(runId)).work.finish();
  });
});

describe("the budget of a month", () => {
  it("is what a run waits for whose own was spent first and is raised, and which may be canceled meanwhile", async () => {
    bed.upstream = answered;
    const limits = { budget_usd: 0.001, monthly_budget_usd: 0.0015 };
    const { proxy, work, runId } = await bed.begin(MODEL, undefined, { limits });
    await (await proxy("/model/v1/messages", asked)).text();
    expect((await told(await proxy("/model/v1/messages", asked))).error.message).toContain("limits.budget_usd");
    await finish(work);
    await vi.waitUntil(async () => (await readRun(runId)).runner === null);
    const { routine_id } = await readRun(runId);
    await call<Routine>("PATCH", `/api/v1/routines/${routine_id}`, { limits: { ...limits, budget_usd: 1 } });
    const waiting = { for: "budget", until: new Date(nextMonthMs(Date.now())).toISOString() };
    expect(await readRun(runId)).toMatchObject({ status: "waiting", waiting });
    await evictOwnerOf(runId);
    expect((await call("POST", `/api/v1/runs/${runId}/cancel`)).status).toBe(200);
    expect(await readRun(runId)).toMatchObject({ status: "canceled", usage: { metered_cost_usd: COST } });
  });

  it("is not overdrawn by ten runs at once, survives the object's memory, and begins anew", async () => {
    const limits = { monthly_budget_usd: 0.02 };
    const routine = await buildRoutine({ model: MODEL, max_concurrent: 20, limits });
    const works: FakeWork[] = [];
    for (let n = 0; n < 10; n++) {
      const { body } = await fire(routine, { text: `run ${n}` });
      works.push((await bed.takeUp(body.run_id)).work);
    }
    let isHeld = true;
    bed.upstream = async () => {
      await vi.waitUntil(() => !isHeld);
      return answered();
    };
    const callOf = ({ offer: { lease, proxy_token } }: FakeWork) =>
      ask(`/proxy/${lease.run_id}/model/v1/messages`, { ...asked, token: proxy_token });
    let refused = 0;
    const answers = works.map(async (work) => {
      const answer = await callOf(work);
      if (answer.status !== 200) refused += 1;
      return answer;
    });
    // Two calls fit in, whatever they use; the others may come again in a moment.
    await vi.waitUntil(() => refused === 8);
    expect(bed.asked).toHaveLength(2);
    isHeld = false;
    const all = await Promise.all(answers);
    expect(all.filter(({ status }) => status === 200)).toHaveLength(2);
    const busy = all.find(({ status }) => status === 429);
    expect(busy?.headers.get("retry-after")).toBe("30");
    await Promise.all(all.map((answer) => answer.text()));

    bed.upstream = answered;
    const [work] = works;
    if (work === undefined) throw new Error("there is a run");
    let made = 2;
    for (let answer = await callOf(work); answer.status === 200; answer = await callOf(work)) {
      await answer.text();
      made += 1;
      await evictOwnerOf(routine.id);
    }
    // As many as it takes to spend it, and none more.
    expect(made).toBe(Math.ceil(0.02 / COST));
    const { run_id } = work.offer.lease;
    const untilMs = nextMonthMs(Date.now());
    const until = new Date(untilMs).toISOString();
    expect(await readRun(run_id)).toMatchObject({ status: "waiting", waiting: { for: "budget", until } });
    await finish(work);

    const denied = await fire(routine, { text: "one more" });
    expect(denied).toMatchObject({ status: 422, body: { error: { details: { code: "budget" } } } });
    const { body } = await call<Page<Occurrence>>("GET", `/api/v1/routines/${routine.id}/occurrences?limit=1`);
    expect(body.data[0]).toMatchObject({ outcome: "refused", reason: "budget", run_id: null });

    await vi.waitUntil(async () => (await readRun(run_id)).runner === null);
    vi.useFakeTimers({ toFake: ["Date"], now: untilMs + 1_000 });
    await runDurableObjectAlarm(ownerOf(run_id));
    await vi.waitUntil(async () => (await readRun(run_id)).status !== "waiting");
    expect((await fire(routine, { text: "in the new month" })).status).toBe(200);
    for (const other of works.slice(1)) await other.finish();
  });
});
