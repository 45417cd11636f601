/** The end of one routine's run wakes others: each once, with what came out of it, and not for ever. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import { DEAD_LETTERS_KEPT, type DeadLetter } from "#protocol/dead-letter.ts";
import type { Admission } from "#protocol/occurrence.ts";
import type { Routine } from "#protocol/routine.ts";
import { runError } from "#protocol/run-errors.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { runEndedEvent } from "#rules/triggers/run-ended-event.ts";
import { buildRoutine, call, fire, fired, readRun } from "#test/support/api.ts";
import { occurrencesOf, playRun, playWoken, runsOf, triggerTexts, untilOccurred } from "#test/support/chains.ts";
import { FakeRunner, SUCCEEDED } from "#test/support/fake-runner.ts";
import { asking, evictOwnerOf, ownerOf } from "#test/support/objects.ts";

const seen = { turns: 2, tool_calls: 1, files_changed: 1, commits_pushed: 0, cost_usd: 0 };
const BROKEN: FrameBody = {
  kind: "finished",
  outcome: { status: "failed", error: runError("runner_failed", "setup") },
  report: null,
  seen,
};

function waitsFor(routine: string, more: object = {}) {
  return buildRoutine({ triggers: [{ type: "routine", routine, ...more }] });
}

/** A routine without retries, whose name is its own. */
function first(more: object = {}) {
  return buildRoutine({ name: `first ${crypto.randomUUID()}`, retry: { max: 0, backoff: "1s" }, ...more });
}

describe("the end of a run", () => {
  it("wakes who waits for the routine by id or by name, with what came out of it", async () => {
    const writer = await first();
    const [byId, byName] = [await waitsFor(writer.id), await waitsFor(writer.name)];
    using runner = await FakeRunner.join({ capacity: 20 });
    const { run_id } = await fired(writer);
    const summary = 'Two pages written.\npushed: main of "x"';
    await playRun(runner, run_id, { ...SUCCEEDED, report: { result: "done", summary } } as FrameBody);
    for (const { id } of [byId, byName]) {
      const [occurrence] = await untilOccurred(id);
      expect(occurrence).toMatchObject({ outcome: "started", trigger: { type: "routine", depth: 1 } });
      const run = await readRun(occurrence?.run_id ?? "");
      expect(run.trigger).toMatchObject({ depth: 1, summary: `Run of ${writer.name} succeeded` });
      const [text] = await triggerTexts(run);
      expect(text).toContain(`run: ${run_id}`);
      expect(text).toContain("turns: 3, tool calls: 2");
      // The agent's own words end it: what follows would pass for a fact.
      expect(text?.endsWith(`result: done\nturns: 3, tool calls: 2, files changed: 1\nsummary: ${summary}`)).toBe(true);
    }
  });

  it("wakes for the endings and results that the trigger names, and else leaves no occurrence", async () => {
    const writer = await first();
    const onFailure = await waitsFor(writer.id, { on: ["failed"] });
    const onDone = await waitsFor(writer.id, { result: ["done"] });
    const onBlocked = await waitsFor(writer.id, { result: ["blocked"] });
    const onAny = await waitsFor(writer.id, { on: ["succeeded", "failed"] });
    using runner = await FakeRunner.join({ capacity: 20 });
    await playRun(runner, (await fired(writer)).run_id, BROKEN);
    await untilOccurred(onAny.id, 1);
    await playRun(runner, (await fired(writer)).run_id);
    await untilOccurred(onAny.id, 2);
    await untilOccurred(onDone.id);
    const counts = await Promise.all([onFailure, onDone, onBlocked].map(async ({ id }) => (await runsOf(id)).length));
    expect(counts).toEqual([1, 1, 0]);
    expect(await occurrencesOf(onBlocked.id)).toEqual([]);
  });

  it("is told of once it is the real one: an attempt that is repeated ends nothing", async () => {
    const writer = await first({ retry: { max: 1, backoff: "30s" } });
    const waiting = await waitsFor(writer.id, { on: ["succeeded", "failed"] });
    using runner = await FakeRunner.join({ capacity: 20 });
    const { run_id } = await fired(writer);
    await playRun(runner, run_id, BROKEN);
    expect((await readRun(run_id)).status).toBe("queued");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
    await runDurableObjectAlarm(ownerOf(run_id));
    vi.useRealTimers();
    await playRun(runner, run_id);
    const occurrences = await untilOccurred(waiting.id);
    expect(occurrences.map(({ trigger }) => trigger.summary)).toEqual([`Run of ${writer.name} succeeded`]);
  });

  it("reaches who knows the routine by the name that it had when the run began, or has when it ends", async () => {
    const writer = await first();
    const later = `later ${crypto.randomUUID()}`;
    const [byOld, byNew] = [await waitsFor(writer.name), await waitsFor(later)];
    using runner = await FakeRunner.join({ capacity: 20 });
    const { run_id } = await fired(writer);
    expect((await call("PATCH", `/api/v1/routines/${writer.id}`, { name: later })).status).toBe(200);
    await playRun(runner, run_id);
    for (const { id } of [byOld, byNew]) {
      expect((await untilOccurred(id))[0]?.trigger.summary).toBe(`Run of ${later} succeeded`);
    }
    await playRun(runner, (await fired(writer)).run_id);
    await untilOccurred(byNew.id, 2);
    expect(await occurrencesOf(byOld.id)).toHaveLength(1);
  });

  it("is told of also when its routine has been deleted", async () => {
    const writer = await first();
    const waiting = await waitsFor(writer.id, { on: ["canceled"] });
    await fired(writer);
    expect((await call("DELETE", `/api/v1/routines/${writer.id}`)).status).toBeLessThan(300);
    const [canceled] = await untilOccurred(waiting.id);
    expect(canceled?.trigger.summary).toBe(`Run of ${writer.name} canceled`);
  });

  it("does not wake the routine itself", async () => {
    const name = `self ${crypto.randomUUID()}`;
    const routine = await buildRoutine({ name, triggers: [{ type: "api" }, { type: "routine", routine: name }] });
    using runner = await FakeRunner.join({ capacity: 20 });
    await playRun(runner, (await fired(routine)).run_id);
    const [own, fire] = await untilOccurred(routine.id, 2);
    expect([own?.outcome, own?.reason, own?.run_id]).toEqual(["ignored", "own_event", null]);
    expect(fire?.outcome).toBe("started");
    expect(await runsOf(routine.id)).toHaveLength(1);
  });

  it("reaches everybody once, though the index fails and the object is evicted", async () => {
    const writer = await first();
    const waiting = await waitsFor(writer.id);
    using runner = await FakeRunner.join({ capacity: 20 });
    const { run_id } = await fired(writer);
    await env.DB.exec("ALTER TABLE subscriptions RENAME TO subscriptions_away");
    await playRun(runner, run_id);
    expect((await readRun(run_id)).status).toBe("succeeded");
    await evictOwnerOf(run_id);
    expect(await occurrencesOf(waiting.id)).toEqual([]);
    await env.DB.exec("ALTER TABLE subscriptions_away RENAME TO subscriptions");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    await runDurableObjectAlarm(ownerOf(run_id));
    vi.useRealTimers();
    await untilOccurred(waiting.id);
    await evictOwnerOf(run_id);
    await runDurableObjectAlarm(ownerOf(run_id));
    expect((await occurrencesOf(waiting.id)).map(({ outcome }) => outcome)).toEqual(["started"]);
  });
});

describe("a chain", () => {
  it("counts its depth, stops at 8, and says so", async () => {
    const chain = [await first()];
    for (let depth = 1; depth <= 10; depth += 1) chain.push(await waitsFor(chain.at(-1)?.id ?? ""));
    using runner = await FakeRunner.join({ capacity: 20 });
    await fired(chain[0] ?? expect.unreachable());
    for (let depth = 0; depth <= 8; depth += 1) {
      const run = await readRun(await playWoken(runner, chain[depth]?.id ?? ""));
      expect([run.routine_id, run.trigger.depth ?? 0]).toEqual([chain[depth]?.id, depth]);
    }
    const [refused] = await untilOccurred(chain[9]?.id ?? "");
    expect(refused).toMatchObject({
      outcome: "refused",
      reason: "chain_too_deep",
      run_id: null,
      trigger: { depth: 9 },
    });
    expect(await occurrencesOf(chain[10]?.id ?? "")).toEqual([]);
  });

  it("goes round two routines until it is as deep", async () => {
    const [ping, pong] = [crypto.randomUUID(), crypto.randomUUID()].map((id) => `pair ${id}`) as [string, string];
    const one = await buildRoutine({ name: ping, triggers: [{ type: "api" }, { type: "routine", routine: pong }] });
    const other = await waitsFor(ping);
    await call("PATCH", `/api/v1/routines/${other.id}`, { name: pong });
    using runner = await FakeRunner.join({ capacity: 20 });
    await fired(one);
    for (let depth = 0; depth <= 8; depth += 1) {
      await playWoken(runner, (depth % 2 === 0 ? one : other).id, Math.floor(depth / 2) + 1);
    }
    const [last] = await untilOccurred(other.id, 5);
    expect(last?.reason).toBe("chain_too_deep");
    expect([await runsOf(one.id), await runsOf(other.id)].map(({ length }) => length)).toEqual([5, 4]);
  });
});

describe("how a routine is doing", () => {
  it("wakes who waits for its first failure and for its recovery, once each, and never itself", async () => {
    const name = `nightly ${crypto.randomUUID()}`;
    const nightly = await first({
      name,
      triggers: [{ type: "api" }, { type: "routine", routine: name, on: ["failing"] }],
    });
    const onFailing = await waitsFor(nightly.id, { on: ["failing"], result: ["done"] });
    const onRecovered = await waitsFor(name, { on: ["recovered"] });
    const onEither = await waitsFor(nightly.id, { on: ["failing", "recovered", "quiet"] });
    using runner = await FakeRunner.join({ capacity: 20 });
    for (const ending of [BROKEN, BROKEN, SUCCEEDED, SUCCEEDED]) {
      await playRun(runner, (await fired(nightly)).run_id, ending);
    }
    const told = async (id: string, count: number) =>
      (await untilOccurred(id, count)).map(({ trigger }) => trigger.summary);
    expect(await told(onEither.id, 2)).toEqual([`${name} has recovered`, `${name} has begun to fail`]);
    expect(await told(onFailing.id, 1)).toEqual([`${name} has begun to fail`]);
    expect(await told(onRecovered.id, 1)).toEqual([`${name} has recovered`]);
    const [failing] = await runsOf(onFailing.id);
    expect(failing?.trigger).toMatchObject({ type: "routine", depth: 1 });
    const [text] = failing === undefined ? [] : await triggerTexts(failing);
    expect(text).toContain("error: runner_failed");
    const own = (await occurrencesOf(nightly.id)).filter(({ trigger }) => trigger.type === "routine");
    expect(own).toMatchObject([{ outcome: "ignored", reason: "own_event" }]);
  });

  it("pauses it after so many failures in a row, says why, and records what that skips until it is resumed", async () => {
    const routine = await first({ limits: { failures: 2 } });
    using runner = await FakeRunner.join({ capacity: 20 });
    const failOnce = async () => {
      const { run_id } = await fired(routine);
      await playRun(runner, run_id, BROKEN);
      return run_id;
    };
    const read = async () => (await call<Routine>("GET", `/api/v1/routines/${routine.id}`)).body;
    await failOnce();
    await playRun(runner, (await fired(routine)).run_id, SUCCEEDED);
    await failOnce();
    expect((await read()).status).toBe("active");
    const last = await failOnce();
    const paused_reason = `2 runs in a row have failed, the last one ${last}: runner_failed. Resume the routine when the cause is mended.`;
    expect(await read()).toMatchObject({ status: "paused", paused_reason, paused_by: "failures" });
    await evictOwnerOf(routine.id);
    expect(await fire(routine)).toMatchObject({
      status: 400,
      body: { error: { details: { code: "paused_after_failures" } } },
    });
    expect((await occurrencesOf(routine.id))[0]).toMatchObject({ outcome: "refused", reason: "paused_after_failures" });
    await vi.waitUntil(async () => {
      const row = await env.DB.prepare("SELECT doc ->> 'status' AS status FROM routines WHERE id = ?")
        .bind(routine.id)
        .first();
      return row?.["status"] === "paused";
    });

    await call("POST", `/api/v1/routines/${routine.id}/resume`);
    await failOnce();
    expect(await read()).toMatchObject({ status: "active", paused_reason: null });
    await failOnce();
    expect(await read()).toMatchObject({ status: "paused" });
  });

  it("tells once that nothing has succeeded for longer than its schedule means, and that it has again", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-03-02T08:00:00Z") });
    const daily = { type: "schedule", every: "daily", time: "09:00" };
    const nightly = await first({ limits: { timeout: "30m" }, triggers: [{ type: "api" }, daily] });
    const waiting = await waitsFor(nightly.id, { on: ["quiet", "recovered"] });
    const look = async (time: string) => {
      vi.setSystemTime(Date.parse(time));
      await runDurableObjectAlarm(ownerOf(nightly.id));
    };
    await look("2026-03-02T09:44:00Z");
    await evictOwnerOf(nightly.id);
    await look("2026-03-02T09:46:00Z");
    const [quiet] = await untilOccurred(waiting.id);
    expect(quiet?.trigger.summary).toBe(`${nightly.name} has had no success for longer than its schedule means`);
    await look("2026-03-03T12:00:00Z");
    // Somebody looks into it: it has not recovered by that.
    await call("PATCH", `/api/v1/routines/${nightly.id}`, { limits: { timeout: "40m" } });
    using runner = await FakeRunner.join({ capacity: 20 });
    await playRun(runner, (await fired(nightly)).run_id);
    const summaries = (await untilOccurred(waiting.id, 2)).map(({ trigger }) => trigger.summary);
    expect(summaries).toEqual([`${nightly.name} has recovered`, quiet?.trigger.summary]);
  });
});

describe("what has led to no work", () => {
  const listed = async (query: string) =>
    (await call<Page<DeadLetter>>("GET", `/api/v1/dead-letters?${query}`)).body.data;
  const fireLetter = (id: string) => call<Admission>("POST", `/api/v1/dead-letters/${id}/fire`);

  it("is listed with its input and why, and fired again once", async () => {
    const writer = await first();
    const waiting = await first({ triggers: [{ type: "routine", routine: writer.id, on: ["failed"] }] });
    const ofWaiting = (state = "open") => listed(`routine=${waiting.id}&state=${state}`);
    await call("POST", `/api/v1/routines/${waiting.id}/pause`);
    using runner = await FakeRunner.join({ capacity: 20 });
    const { run_id } = await fired(writer, { text: "from CI" });
    await playRun(runner, run_id, BROKEN);
    // The fire itself was let in, and its run has failed before the agent's first call.
    await vi.waitUntil(async () => (await listed(`routine=${writer.id}`)).length === 1);
    const [failed] = await listed(`routine=${writer.id}`);
    expect(failed).toMatchObject({ run_id, error: { code: "runner_failed" }, input: { text: "from CI" }, fired: null });
    await vi.waitUntil(async () => (await ofWaiting()).length === 1);
    const [letter] = await ofWaiting();
    expect(letter).toMatchObject({
      outcome: "refused",
      reason: "routine_paused",
      run_id: null,
      input: { text: expect.stringContaining(`run: ${run_id}`) },
    });

    const id = letter?.id ?? "";
    const { body: answer, status } = await fireLetter(id);
    expect([status, answer.duplicate]).toEqual([200, false]);
    await evictOwnerOf(waiting.id);
    expect((await fireLetter(id)).body).toEqual({ ...answer, duplicate: true });
    const run = await readRun(answer.run_id);
    expect(run.trigger).toMatchObject({ type: "routine", depth: 1, summary: `Run of ${writer.name} failed` });
    expect(await triggerTexts(run)).toEqual([letter?.input.text]);
    expect((await occurrencesOf(waiting.id))[0]).toMatchObject({ outcome: "started", again_of: id });
    await vi.waitUntil(async () => (await ofWaiting()).length === 0);
    expect(await ofWaiting("fired")).toMatchObject([{ id, fired: { run_id: answer.run_id } }]);

    // Its run fails as well: that is another one. A retry of the run settles that too.
    await playRun(runner, answer.run_id, BROKEN);
    await vi.waitUntil(async () => (await ofWaiting()).length === 1);
    expect(await ofWaiting()).toMatchObject([{ id: answer.occurrence_id, run_id: answer.run_id }]);
    const retried = await call<Admission>("POST", `/api/v1/runs/${answer.run_id}/retry`);
    expect(await fireLetter(answer.occurrence_id)).toMatchObject({
      body: { run_id: retried.body.run_id, duplicate: true },
    });
    expect((await readRun(retried.body.run_id)).retry_of).toBe(answer.run_id);
    expect((await fireLetter((await fired(writer)).run_id.replace("run_", "occ_"))).status).toBe(404);

    await call("DELETE", `/api/v1/routines/${waiting.id}`);
    await vi.waitUntil(async () => (await ofWaiting("all")).length === 0);
  });

  it("is kept as far as the newest of a routine go, and written to the index again", async () => {
    const writer = await first();
    const waiting = await waitsFor(writer.id);
    await call("POST", `/api/v1/routines/${waiting.id}/pause`);
    const event = runEndedEvent({ ...(await readRun((await fired(writer)).run_id)) }, writer.name);
    const events = Array.from({ length: DEAD_LETTERS_KEPT + 30 }, (_, n) => ({
      ...event,
      event_id: `${event.event_id} ${n}`,
      dedupe_key: `${n}`,
      payload: { ...(event.payload as object), status: "succeeded" },
      context: `${n} ${"x".repeat(9_000)}`,
    }));
    await asking(waiting.id).takeEvents(events as SourceEvent[]);
    const count = async () => {
      const row = await env.DB.prepare("SELECT COUNT(*) AS n FROM dead_letters WHERE routine_id = ?")
        .bind(waiting.id)
        .first();
      return row?.["n"];
    };
    await vi.waitUntil(async () => (await count()) === DEAD_LETTERS_KEPT);
    const [newest] = await listed(`routine=${waiting.id}&limit=1`);
    expect(newest?.input).toMatchObject({ truncated: true, text: expect.stringMatching(/^229 x{3996}$/) });
    await env.DB.prepare("DELETE FROM dead_letters WHERE routine_id = ?").bind(waiting.id).run();
    await asking(waiting.id).writeIndexAgain();
    await vi.waitUntil(async () => (await count()) === DEAD_LETTERS_KEPT);
    const { body } = await fireLetter(newest?.id ?? "");
    expect((await triggerTexts(await readRun(body.run_id)))[0]).toHaveLength(9_004);
  });
});
