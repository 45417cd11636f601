/** Budgets that routines share: calls at once can't overdraw them, whatever fails in between, and who has none asks nobody. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { budgetObject } from "#instance/objects.ts";
import type { Page } from "#protocol/api.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { Notification } from "#protocol/notification.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import type { SharedBudget, SharedBudgetInput } from "#protocol/shared-budget.ts";
import { monthOf, nextMonthMs } from "#rules/run/budget.ts";
import { buildRoutine, call, fire, readRun } from "#test/support/api.ts";
import type { FakeWork } from "#test/support/fake-runner.ts";
import { answerLate, fail, hang, loseAnswer, method, routine as routineCall } from "#test/support/hang.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import { MODEL, ProxyBed } from "#test/worker/proxy-bed.ts";
import { type Asked, ask } from "#test/worker/support.ts";
import { BudgetObject } from "#worker/index.ts";

const bed = ProxyBed.make();
const PATH = "/api/v1/budgets";
/** A model that is in no list costs as the dearest: so much for what its answers use, and at most 0.0079 each. */
const COST = 0.001815;
const asked: Asked = { method: "POST", body: { model: MODEL, max_tokens: 100, messages: [] } };
const ANSWER = '{"type":"message","usage":{"input_tokens":11,"output_tokens":22}}';
const answered = () => new Response(ANSWER, { headers: { "content-type": "application/json" } });
const ENDED = {
  kind: "finished",
  outcome: {
    status: "failed",
    error: { code: "model_request_refused", message: "Refused.", hint: "Look.", phase: "agent" },
  },
  report: null,
  seen: { turns: 1, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
} as const;

const list = async () => (await call<Page<SharedBudget>>("GET", PATH)).body.data;
const ofTag = async (value: string) => (await list()).find((one) => one.scope === "tag" && one.value === value);
const set = (input: SharedBudgetInput) => call<SharedBudget>("PUT", PATH, input);
const setTag = (value: string, monthly_usd: number) => set({ scope: "tag", tag: "team", value, monthly_usd });
const reserve = method(BudgetObject.prototype, "reserve");
const report = method(BudgetObject.prototype, "report");
const theObject = () => budgetObject(env, null);
const callOf = ({ offer: { lease, proxy_token } }: FakeWork, more: Asked = asked) =>
  ask(`/proxy/${lease.run_id}/model/v1/messages`, { ...more, token: proxy_token });
const codeOf = async (answer: Response) => (JSON.parse(await answer.text()) as ErrorBody).error.details?.code;

const begunRuns: string[] = [];
/** Until every routine has been told of the budgets as they are. */
const allTold = () =>
  vi.waitUntil(() =>
    runInDurableObject(theObject(), (_object, { storage }) => {
      const { due } = storage.sql.exec<{ due: number }>("SELECT COUNT(due_at) AS due FROM routines").one();
      return due === 0;
    }),
  );

/** A run of a routine that has a tag. */
async function begin(value: string, more: Record<string, unknown> = {}) {
  const routine = await buildRoutine({ model: MODEL, max_concurrent: 20, tags: { team: value }, ...more });
  return { routine, works: await another(routine, 1) };
}

async function another(routine: Awaited<ReturnType<typeof buildRoutine>>, count: number): Promise<FakeWork[]> {
  const works: FakeWork[] = [];
  for (let n = 0; n < count; n++) {
    const { body } = await fire(routine, { text: `run ${n}` });
    begunRuns.push(body.run_id);
    works.push((await bed.takeUp(body.run_id)).work);
  }
  return works;
}

function first<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error("there is one");
  return item;
}

afterEach(async () => {
  vi.useRealTimers();
  for (const runId of begunRuns.splice(0)) {
    if ((await readRun(runId)).status === "waiting") await call("POST", `/api/v1/runs/${runId}/cancel`);
  }
  for (const budget of await list()) {
    const query = new URLSearchParams(
      budget.scope === "instance" ? { scope: "instance" } : { scope: "tag", tag: budget.tag, value: budget.value },
    );
    expect((await call("DELETE", `${PATH}?${query}`)).status).toBe(204);
  }
});

describe("a budget of a tag", () => {
  it("is not overdrawn by ten runs of three routines at once, and survives its object's end", async () => {
    await setTag("docs", 0.02);
    const begun = [await begin("docs"), await begin("docs"), await begin("docs")];
    const works = begun.flatMap(({ works }) => works);
    for (const { routine } of begun) works.push(...(await another(routine, 2)));
    works.push(...(await another(first(begun).routine, 1)));
    expect(works).toHaveLength(10);
    let isHeld = true;
    bed.upstream = async () => {
      await vi.waitUntil(() => !isHeld);
      return answered();
    };
    let refused = 0;
    const answers = works.map(async (work) => {
      const answer = await callOf(work);
      if (answer.status === 429) refused += 1;
      return answer;
    });
    // Two calls fit in, whatever they use.
    await vi.waitUntil(() => refused === 8);
    expect(bed.asked).toHaveLength(2);
    expect(await ofTag("docs")).toMatchObject({ spent_usd: 0, reserved_usd: expect.closeTo(0.0158, 3) });
    await evictDurableObject(theObject());
    isHeld = false;
    const all = await Promise.all(answers);
    await Promise.all(all.map((answer) => answer.text()));
    await vi.waitFor(async () => expect(await ofTag("docs")).toMatchObject({ spent_usd: 2 * COST, reserved_usd: 0 }));

    bed.upstream = answered;
    let made = 2;
    for (let n = 0; made < 50; n++) {
      const answer = await callOf(works[n % works.length] as FakeWork);
      if (answer.status !== 200) break;
      await answer.text();
      made += 1;
      // The next one is judged by what this one used.
      await vi.waitFor(async () => expect((await ofTag("docs"))?.reserved_usd).toBe(0));
      await evictDurableObject(theObject());
    }
    expect(made).toBe(Math.ceil(0.02 / COST));
    expect(await ofTag("docs")).toMatchObject({ spent_usd: expect.closeTo(made * COST, 6) });

    // Others of the tag are refused by name, though no call of theirs was.
    await allTold();
    const denied = await fire(first(begun.slice(2)).routine, { text: "one more" });
    expect(denied).toMatchObject({ status: 422, body: { error: { details: { code: "budget" } } } });
    const words = "the monthly budget of tag team=docs is 0.02, and 0.02";
    expect(denied.body).toMatchObject({ error: { message: expect.stringContaining(words) } });
    const { body } = await call<Page<Occurrence>>(
      "GET",
      `/api/v1/routines/${first(begun.slice(2)).routine.id}/occurrences?limit=1`,
    );
    expect(body.data[0]).toMatchObject({
      outcome: "refused",
      reason: "budget",
      detail: expect.stringContaining(words),
    });
    for (const work of works) await work.finish();
  });

  it("has a run wait that goes on when it is raised, and tells people which it is", async () => {
    await setTag("wait", 0.001);
    const notify = [{ on: ["budget"], slack: "{{NO_SUCH_SECRET}}" }];
    const { routine, works } = await begin("wait", { notify });
    const work = first(works);
    bed.upstream = answered;
    await (await callOf(work)).text();
    await vi.waitFor(async () => expect((await ofTag("wait"))?.spent_usd).toBe(COST));
    const refused = await callOf(work);
    expect([refused.status, await codeOf(refused)]).toEqual([422, "budget"]);
    const { run_id } = work.offer.lease;
    const until = new Date(nextMonthMs(Date.now())).toISOString();
    const reason = `the monthly budget of tag team=wait is 0.001, and 0.0018 is spent; it begins anew at ${until}`;
    expect(await readRun(run_id)).toMatchObject({ status: "waiting", waiting: { for: "budget", until, reason } });
    await vi.waitFor(async () => {
      const { body } = await call<Page<Notification>>("GET", `/api/v1/notifications?routine=${routine.id}`);
      expect(body.data).toMatchObject([{ kind: "budget", run_id }]);
    });
    await work.finish(ENDED);
    await vi.waitUntil(async () => (await readRun(run_id)).runner === null);
    await setTag("wait", 0.0015);
    expect((await readRun(run_id)).status).toBe("waiting");
    expect((await setTag("wait", 1)).body).toMatchObject({ monthly_usd: 1, spent_usd: COST, reserved_usd: 0 });
    expect((await readRun(run_id)).status).not.toBe("waiting");
    const next = await bed.takeUp(run_id);
    expect((await callOf(next.work)).status).toBe(200);
    await next.work.finish();
  });

  it("stops no run by an answer that has been overtaken: the budget was raised while it was on its way", async () => {
    await setTag("raised", 0.001);
    const { routine, works } = await begin("raised");
    const other = await begin("raised");
    bed.upstream = answered;
    // This one does not hear that the other has spent it.
    using unheard = fail(routineCall("takeBudgets", routine.id));
    await (await callOf(first(other.works))).text();
    await vi.waitFor(async () => expect((await ofTag("raised"))?.spent_usd).toBe(COST));
    using late = answerLate(reserve);
    const answer = callOf(first(works));
    await late.untilMet();
    unheard.end();
    await setTag("raised", 1);
    late.end();
    const refused = await answer;
    expect([refused.status, await codeOf(refused)]).toEqual([429, "budget_reserved"]);
    expect((await readRun(first(works).offer.lease.run_id)).status).toBe("running");
    expect((await callOf(first(works))).status).toBe(200);
    for (const work of [...works, ...other.works]) await work.finish();
  });

  it("begins anew with the month", async () => {
    await setTag("month", 0.001);
    const { routine, works } = await begin("month");
    const work = first(works);
    bed.upstream = answered;
    await (await callOf(work)).text();
    await vi.waitFor(async () => expect((await ofTag("month"))?.spent_usd).toBe(COST));
    expect((await callOf(work)).status).toBe(422);
    const { run_id } = work.offer.lease;
    await work.finish(ENDED);
    await vi.waitUntil(async () => (await readRun(run_id)).runner === null);
    vi.useFakeTimers({ toFake: ["Date"], now: nextMonthMs(Date.now()) + 1_000 });
    await runDurableObjectAlarm(ownerOf(run_id));
    await vi.waitUntil(async () => (await readRun(run_id)).status !== "waiting");
    expect((await fire(routine, { text: "in the new month" })).status).toBe(200);
    expect(await ofTag("month")).toMatchObject({ spent_usd: 0, reserved_usd: 0 });
  });

  it("counts what its routines had spent before it was set, and those that get the tag later", async () => {
    const { routine, works } = await begin("early");
    bed.upstream = answered;
    await (await callOf(first(works))).text();
    await vi.waitFor(async () =>
      expect((await readRun(first(works).offer.lease.run_id)).usage.metered_cost_usd).toBe(COST),
    );
    expect((await setTag("early", 1)).body).toMatchObject({ spent_usd: COST, updated_by: { kind: "owner" } });
    await call("PATCH", `/api/v1/routines/${routine.id}`, { tags: { team: "other" } });
    await vi.waitFor(async () => expect((await ofTag("early"))?.spent_usd).toBe(0));
    await call("PATCH", `/api/v1/routines/${routine.id}`, { tags: { team: "early" } });
    await vi.waitFor(async () => expect((await ofTag("early"))?.spent_usd).toBe(COST));
  });
});

describe("the object that keeps them", () => {
  it("is asked nothing for calls of routines that none is for", async () => {
    await setTag("some", 1);
    const { works } = await begin("none");
    bed.upstream = answered;
    // By then the routine has been told which there are.
    await (await callOf(first(works))).text();
    using asking = fail(reserve);
    using told = fail(report);
    for (let n = 0; n < 5; n++) expect((await callOf(first(works))).status).toBe(200);
    expect([asking.met, told.met]).toEqual([0, 0]);
  });

  it("lets nothing through while it does not answer, and holds nothing for a call that was given up", async () => {
    await setTag("silent", 1);
    const { works } = await begin("silent");
    bed.upstream = answered;
    const silent = hang(reserve);
    const late = await callOf(first(works));
    expect([late.status, await codeOf(late)]).toEqual([503, "budget_unanswered"]);
    expect(late.headers.get("retry-after")).toBe("5");
    expect(bed.asked).toEqual([]);
    silent.end();
    await vi.waitFor(async () => expect(await ofTag("silent")).toMatchObject({ reserved_usd: 0 }));
    using lost = loseAnswer(reserve);
    expect((await callOf(first(works))).status).toBe(503);
    lost.end();
    await vi.waitFor(async () => expect(await ofTag("silent")).toMatchObject({ spent_usd: 0, reserved_usd: 0 }));
    expect((await readRun(first(works).offer.lease.run_id)).evidence.model_calls).toBe(0);
    expect((await callOf(first(works))).status).toBe(200);
  });

  it("hears once of a call whose end is told twice, and later where it was away", async () => {
    await setTag("away", 1);
    const { works } = await begin("away");
    bed.upstream = answered;
    const away = fail(report);
    expect((await callOf(first(works))).status).toBe(200);
    await away.untilMet();
    expect(await ofTag("away")).toMatchObject({ spent_usd: 0, reserved_usd: expect.closeTo(0.0079, 3) });
    await evictOwnerOf(first(works).offer.lease.run_id);
    away.end();
    await runDurableObjectAlarm(ownerOf(first(works).offer.lease.run_id));
    await vi.waitFor(async () => expect(await ofTag("away")).toMatchObject({ spent_usd: COST, reserved_usd: 0 }));
  });

  it("gets money back that was asked for by a routine's object which has ended before the call", async () => {
    await setTag("gone", 1);
    const { routine, works } = await begin("gone");
    const { run_id } = first(works).offer.lease;
    await runInDurableObject(ownerOf(run_id), async (_object, { storage }) => {
      const insert = "INSERT INTO shared_reservations (id, run_id, at) VALUES ('asked', ?, ?)";
      storage.sql.exec(insert, run_id, Date.now());
    });
    const told = { tags: { team: "gone" }, revision: 1, months: [], knows: null };
    await theObject().reserve(routine.id, told, { id: "asked", usd: 0.5 });
    expect(await ofTag("gone")).toMatchObject({ reserved_usd: 0.5 });
    await evictOwnerOf(run_id);
    await readRun(run_id);
    await vi.waitFor(async () => expect(await ofTag("gone")).toMatchObject({ reserved_usd: 0 }));
  });

  it("tells a routine later whose object was away when a budget was set", async () => {
    const { routine, works } = await begin("later");
    bed.upstream = answered;
    await (await callOf(first(works))).text();
    const away = fail(routineCall("takeBudgets", routine.id));
    expect((await setTag("later", 0.001)).status).toBe(200);
    expect(away.met).toBeGreaterThan(0);
    away.end();
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(theObject());
      expect(await ofTag("later")).toMatchObject({ spent_usd: COST });
    });
    expect((await callOf(first(works))).status).toBe(422);
  });
});

describe("a routine that is deleted", () => {
  it("still counts with what it has spent, and else is forgotten at the next change", async () => {
    const tags = { team: "deleted" };
    const [spender, idle] = [await buildRoutine({ tags }), await buildRoutine({ tags })];
    const months = [{ month: monthOf(Date.now()), usd: 0.5 }];
    await theObject().report(spender.id, { tags, revision: 1, months, knows: null }, []);
    await setTag("deleted", 1);
    const known = () =>
      runInDurableObject(theObject(), (_object, { storage }) => {
        const ids = storage.sql.exec<{ id: string }>("SELECT id FROM routines").toArray();
        return [spender, idle].map((routine) => ids.some(({ id }) => id === routine.id));
      });
    await vi.waitFor(async () => expect(await known()).toEqual([true, true]));
    for (const { id } of [spender, idle]) await call("DELETE", `/api/v1/routines/${id}`);
    await setTag("deleted", 2);
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(theObject());
      expect(await known()).toEqual([true, false]);
    });
    await allTold();
    expect(await ofTag("deleted")).toMatchObject({ spent_usd: 0.5 });
  });
});

describe("the budget of the instance", () => {
  it("is for all routines, with and without tags, beside those of tags", async () => {
    const before = (await set({ scope: "instance", monthly_usd: 1_000 })).body.spent_usd;
    await set({ scope: "instance", monthly_usd: before + 0.001 });
    await setTag("both", 1);
    const { works } = await begin("both");
    const plain = await begin("both", { tags: {} });
    bed.upstream = answered;
    await (await callOf(first(works))).text();
    const sums = [expect.closeTo(before + COST, 6), COST];
    await vi.waitFor(async () => expect((await list()).map(({ spent_usd }) => spent_usd)).toEqual(sums));
    const refused = await callOf(first(plain.works));
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain("the instance's monthly budget is ");
    await first(plain.works).finish(ENDED);
  });
});

describe("what is no budget", () => {
  it.each<[string, unknown, string]>([
    ["no scope", { monthly_usd: 1 }, "scope"],
    ["another scope", { scope: "team", monthly_usd: 1 }, "scope"],
    ["a tag without a value", { scope: "tag", tag: "team", monthly_usd: 1 }, "value"],
    ["a tag of the instance", { scope: "instance", tag: "team", monthly_usd: 1 }, "tag"],
    ["no money", { scope: "instance", monthly_usd: 0 }, "monthly_usd"],
  ])("is refused by the field's name: %s", async (_what, body, field) => {
    const answer = await call<ErrorBody>("PUT", PATH, body);
    expect([answer.status, answer.body.error.details?.field]).toEqual([400, field]);
    expect(answer.body.error.hint).not.toBe("");
  });

  it("is not there to be removed", async () => {
    expect((await call("DELETE", `${PATH}?scope=instance`)).status).toBe(404);
    expect((await call("DELETE", `${PATH}?scope=tag&tag=team`)).status).toBe(400);
  });
});
