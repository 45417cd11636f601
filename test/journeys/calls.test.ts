/** What a person sees of a party that fails for a moment, for longer, or hangs: an answer, and nothing done twice. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { routineIndex } from "#instance/d1/routine-index.ts";
import { authoritiesOf } from "#instance/secrets.ts";
import type { Page } from "#protocol/api.ts";
import type { Refusal } from "#protocol/errors.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call, fire } from "#test/support/api.ts";
import { realDeps } from "#test/support/clock.ts";
import { d1, fail, first, hang, loseAnswer, method, routine as object, resetAt } from "#test/support/hang.ts";
import { errorOf } from "#test/worker/support.ts";
import type { Deps } from "#worker/deps.ts";
import { faultRefusal } from "#worker/http/fault-refusal.ts";
import worker from "#worker/index.ts";
import { partiesOf } from "#worker/parties/parties.ts";
import { bodies } from "#worker/store/bodies.ts";
import { deliveryLists } from "#worker/store/delivery-lists.ts";

const LOST = "D1_ERROR: Network connection lost.";
const OVERLOADED = "D1_ERROR: D1 DB is overloaded. Too many requests queued.";

beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
afterEach(() => void vi.useRealTimers());

const parties = partiesOf(env, null);
const PAGE = { limit: 10, cursor: null };
const RUN = "run_00000000000000000000000000";

/** What whoever asked hears of a call that fails. */
async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  return call.then(
    () => Promise.reject(new Error("it was answered")),
    (error: unknown) => faultRefusal(error),
  );
}

async function occurrencesOf(id: string): Promise<Occurrence[]> {
  return (await call<Page<Occurrence>>("GET", `/api/v1/routines/${id}/occurrences`)).body.data;
}

/** What the owner is known by. */
const OWNER = await authoritiesOf(realDeps().config);

describe("an object that is reset", () => {
  const KEYED = { "idempotency-key": "one" };
  it.each(["before", "after"] as const)("%s a fire answers it, and has one occurrence of it", async (when) => {
    for (const headers of [{}, KEYED]) {
      const target = await buildRoutine();
      using _reset = resetAt("fire", when);
      const answer = await fire(target, { text: "go" }, headers);
      expect(answer).toMatchObject({ status: 200, body: { type: "routine_fire" } });
      expect(answer.body).not.toHaveProperty("duplicate");
      const occurrences = await occurrencesOf(target.id);
      expect(occurrences.map(({ run_id }) => run_id)).toEqual([answer.body.run_id]);
    }
  });

  const refused: [string, { overlap?: string }, boolean, number][] = [
    ["skipped", { overlap: "skip" }, false, 409],
    ["refused", {}, true, 400],
  ];
  it.each(refused)(
    "after a fire that is %s says so, and has one occurrence of it",
    async (outcome, given, isPaused, status) => {
      for (const headers of [{}, KEYED]) {
        const target = await buildRoutine(given);
        await fire(target, { text: "first" });
        if (isPaused) await call("POST", `/api/v1/routines/${target.id}/pause`);
        using _reset = resetAt("fire", "after");
        const answer = await fire(target, { text: "go" }, headers);
        const [occurrence, ...others] = await occurrencesOf(target.id);
        expect([occurrence?.outcome, others.length]).toEqual([outcome, 1]);
        expect(answer).toMatchObject({ status, body: { error: { details: { occurrence_id: occurrence?.id } } } });
      }
    },
  );

  it("after a fire that repeats one that was skipped tells of that one, and has one more occurrence", async () => {
    const target = await buildRoutine({ overlap: "skip" });
    await fire(target, { text: "first" });
    const skipped = await fire(target, { text: "go" }, KEYED);
    using _reset = resetAt("fire", "after");
    const again = await fire(target, { text: "go" }, KEYED);
    expect([again.status, again.body]).toEqual([409, { ...skipped.body, request_id: expect.any(String) }]);
    expect((await occurrencesOf(target.id)).map(({ outcome }) => outcome)).toEqual(["duplicate", "skipped", "started"]);
  });

  it.each(["before", "after"] as const)("%s a run by hand, a pause or a question answers it", async (when) => {
    const target = await buildRoutine();
    const path = `/api/v1/routines/${target.id}`;
    using _run = resetAt("runNow", when);
    expect((await call("POST", `${path}/run`)).status).toBe(200);
    expect(await occurrencesOf(target.id)).toHaveLength(1);
    using _pause = resetAt("pause", when);
    expect(await call("POST", `${path}/pause`)).toMatchObject({ status: 200, body: { status: "paused" } });
    using _read = resetAt("read", when);
    expect(await call<Routine>("GET", path)).toMatchObject({ status: 200, body: { status: "paused" } });
  });

  it.each(["before", "after"] as const)("%s the first of two questions is asked the second", async (when) => {
    const { id, triggers } = await buildRoutine({ triggers: [{ type: "webhook", source: "slack" }] });
    using _reset = resetAt("endpoint", when);
    const secret = { secret: "a secret of Slack's own" };
    const answer = await call("POST", `/api/v1/routines/${id}/triggers/${triggers[0]?.id}/secret`, secret);
    expect(answer).toMatchObject({ status: 201 });
  });

  it.each(["before", "after"] as const)("%s a change is not asked again, and says so", async (when) => {
    const target = await buildRoutine();
    using _reset = resetAt("change", when);
    const answer = await call("PATCH", `/api/v1/routines/${target.id}`, { name: "another" });
    expect(answer).toMatchObject({ status: 503, body: { error: { details: { code: "unavailable" } } } });
    expect(answer.headers.get("retry-after")).toBe("2");
    const { body } = await call<Routine>("GET", `/api/v1/routines/${target.id}`);
    expect(body.revision).toBe(when === "before" ? 1 : 2);
  });
});

describe("an object", () => {
  it("that has too much to do is asked once", async () => {
    const target = await buildRoutine();
    const busy = Object.assign(new Error("Durable Object is overloaded."), { overloaded: true });
    let asked = 0;
    const stubs = Object.getPrototypeOf(env.ROUTINE) as DurableObjectNamespace;
    const restore = method(
      stubs,
      "get",
    )(() => {
      asked += 1;
      return { read: () => Promise.reject(busy) };
    });
    const answer = await call("GET", `/api/v1/routines/${target.id}`);
    restore();
    expect(answer).toMatchObject({ status: 503, body: { error: { details: { code: "overloaded" } } } });
    expect([asked, answer.headers.get("retry-after")]).toEqual([1, "10"]);
  });

  it("that does not answer is waited for no longer than its time", async () => {
    const target = await buildRoutine();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    using silent = hang(object("read", target.id));
    const asked = refusalOf(parties.ownerOf(target.id).read());
    await silent.untilMet();
    vi.advanceTimersByTime(20_000);
    expect(await asked).toEqual({ code: "no_answer", retry_after_s: 10 });
    expect(silent.met).toBe(1);
  });
});

describe("D1", () => {
  const LIST = /from "runs"/;

  it.each([
    ["fails twice for a moment", first(2, d1(LIST)), LOST, [200, undefined, null], 2],
    ["fails for longer", d1(LIST), LOST, [503, "unavailable", "2"], 3],
    ["has too much to do", d1(LIST), OVERLOADED, [503, "overloaded", "10"], 1],
    ["can't read the question", d1(LIST), "D1_ERROR: near FORM: syntax error", [500, "internal_error", null], 1],
  ] as const)("%s", async (_how, party, message, answer, met) => {
    using trouble = fail(party, message);
    const { status, body, headers } = await call<{ error?: { details: { code: string } } }>("GET", "/api/v1/runs");
    expect([status, body.error?.details.code, headers.get("retry-after")]).toEqual(answer);
    expect(trouble.met).toBe(met);
  });

  it("hangs", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    using silent = hang(d1(LIST));
    const asked = refusalOf(routineIndex(parties.database).listRuns({}, PAGE));
    await silent.untilMet();
    vi.advanceTimersByTime(10_000);
    expect(await asked).toEqual({ code: "no_answer", retry_after_s: 10 });
  });

  const HOUR_MS = 3_600_000;
  const cause = { run_id: "run_x", routine_id: "rtn_x", depth: 0 };
  const lease = { run_id: "run_x", generation: 1 };
  const begun = {
    id: "push",
    begunAtMs: 0,
    lease,
    number: 0,
    url: "https://git.test/a",
    branches: [],
    taken: [],
    tries: 0,
  };
  const [authority] = OWNER;
  const person = {
    hash: "h",
    id: "sgn_x",
    authority,
    expiresAt: Date.now() + HOUR_MS,
    userAgent: null,
    ip: null,
  };
  const added = [{ id: 7, full_name: "acme/App", is_private: false }];
  const told = { installation_id: 1, account: "acme", added, removed: [], deleted: false, suspended: null };
  const change = { ...told, events: ["push"], told_at: 5 };
  const code = { expiresAt: Date.now() + HOUR_MS, madeBy: null, authority };
  const looked = { routine_id: "rtn_x", due_at: 1, version: 1 };
  const named = [{ id: 7, name: "acme/app" }];

  /** What is written, and what it is answered with. */
  const writes: [string, RegExp, (deps: Deps) => Promise<unknown>, unknown][] = [
    ["a push that begins", /begun_pushes/, ({ begunPushes }) => begunPushes.begin(begun, 1), undefined],
    ["a push that is put off", /begun_pushes/, ({ begunPushes }) => begunPushes.postpone("push", 1, 2), undefined],
    ["a push that is owed", /begun_pushes/, ({ begunPushes }) => begunPushes.owe("push", [], []), undefined],
    ["a push that has ended", /begun_pushes/, ({ begunPushes }) => begunPushes.end("push"), undefined],
    ["what is pushed", /push_marks/, ({ matching }) => matching.notePush(["a", "b"], cause, 1), ["a", "b"]],
    ["what was pushed before", /push_marks/, ({ matching }) => matching.notePush(["b", "c"], cause, 2), ["c"]],
    ["what was not pushed", /push_marks/, ({ matching }) => matching.forgetPush(["a"], cause), undefined],
    ["a sign-in", /web_sessions/, ({ signIns }) => signIns.add(person, Date.now()), undefined],
    ["a sign-in's use", /web_sessions/, ({ signIns }) => signIns.noteUse("h", Date.now()), undefined],
    ["a socket", /web_session_objects/, ({ signIns }) => signIns.noteSocket("h", RUN, Date.now()), true],
    ["a socket's end", /web_session_objects/, ({ signIns }) => signIns.settleOwed([]), undefined],
    ["a code", /sign_in_codes/, ({ signIns }) => signIns.addCode("c", code, Date.now()), undefined],
    ["an installation", /github_installations/, ({ githubApp }) => githubApp.note(change, 1), undefined],
    ["a repository's name", /repository_names/, ({ names }) => names.note(named, 1), undefined],
    ["an account's name", /repository_names/, ({ names }) => names.renameOwner("acme", "new", 1), undefined],
    ["a look at a routine", /due_routines/, ({ due }) => due.settle([looked]), undefined],
  ];

  it("is asked again for what may be done twice, and says what it would have said", async () => {
    for (const [what, statement, write, answer] of writes) {
      using lost = loseAnswer(first(1, d1(statement)), LOST);
      expect([what, await write(realDeps())]).toEqual([what, answer]);
      expect([what, lost.met]).toEqual([what, 1]);
    }
    expect(await realDeps().begunPushes.due(9, 9)).toEqual([]);
    expect(await realDeps().signIns.takeCode("c", Date.now())).toBe(OWNER[0]);
    expect(await realDeps().githubApp.list(9, null)).toMatchObject([{ id: 7, full_name: "new/app" }]);
  });

  it("is not asked again for what may be done once only", async () => {
    const lists = deliveryLists(parties.database, bodies(parties.bucket));
    using lost = loseAnswer(d1(/verification_failures/), LOST);
    const failure = { day: "2026-01-02", source: "slack", trigger_id: null, failure: "no_secret", count: 1 } as const;
    expect(await refusalOf(lists.addFailures([failure]))).toEqual({ code: "unavailable", retry_after_s: 2 });
    expect(lost.met).toBe(1);
  });
});

describe.each(["DB", "ROUTINE", "POOL", "GATE", "ROSTER", "BUDGET", "CLOCK", "BODIES", "ASSETS"])(
  "without %s",
  (name) => {
    it.each([
      ["GET", "/api/v1/runs"],
      ["GET", "/"],
      ["POST", "/webhooks/github"],
      ["POST", "/v1/claude_code/routines/rtn_00000000000000000000000000/fire"],
    ])("%s %s says what is missing, and what mends it", async (verb, path) => {
      const faulty = { ...env, [name]: undefined };
      const request = new Request(`http://reveille.test${path}`, { method: verb }) as Parameters<
        typeof worker.fetch
      >[0];
      const answer = await errorOf(await worker.fetch(request, faulty, createExecutionContext()));
      const issues = [{ field: name, message: expect.stringContaining("npm run deploy") }];
      expect(answer).toMatchObject({ status: 503, details: { code: "not_ready", issues } });
    });
  },
);
