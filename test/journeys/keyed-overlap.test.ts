/** `overlap` with `session: keyed`: it is about the runs of one session. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AskedQuestion } from "#protocol/question.ts";
import { call, readRun, watch } from "#test/support/api.ts";
import { CANCELED, FakeRunner, type FakeWork } from "#test/support/fake-runner.ts";
import { keyedRoutine, nextWork, occurrences, orderOf, sessionOf } from "#test/support/keyed.ts";
import { ownerOf } from "#test/support/objects.ts";

let runner: FakeRunner;
beforeEach(async () => {
  runner = await FakeRunner.join({ capacity: 50 });
});
afterEach(() => {
  vi.useRealTimers();
  runner[Symbol.dispose]();
});
const work = () => nextWork(runner);

describe("overlap", () => {
  it("queue gives each event a run, one after the other in a session, beside those of other keys", async () => {
    const { routine, send } = await keyedRoutine({ overlap: "queue" });
    const all = [await send("a", "1"), await send("a", "2"), await send("b", "1"), await send("a", "3")];
    expect(all.map((one) => one?.reason)).toEqual(["admitted", "session_busy", "admitted", "session_busy"]);
    const sessions = await Promise.all(all.map((one) => sessionOf(one?.run_id)));
    expect(new Set(sessions).size).toBe(2);
    expect(sessions[1]).toBe(sessions[0]);
    expect(sessions[3]).toBe(sessions[0]);
    const [one, other] = [await work(), await work()];
    await one.finish();
    const two = await work();
    expect(two.offer.lease.run_id).toBe(all[1]?.run_id);
    await two.finish();
    const three = await work();
    expect(three.offer.lease.run_id).toBe(all[3]?.run_id);
    await three.finish();
    await other.finish();
    expect(await occurrences(routine)).toHaveLength(4);
  });

  it("queue_latest and cancel_running are about the runs of the one session", async () => {
    const { routine, send } = await keyedRoutine({ overlap: "queue_latest" });
    const [a1, b1] = [await send("a"), await send("b")];
    const [a2, b2] = [await send("a"), await send("b")];
    const a3 = await send("a");
    const status = async (outcome: typeof a1) => (await readRun(outcome?.run_id ?? "")).status;
    expect([await status(a2), await status(b2), await status(a3)]).toEqual(["canceled", "queued", "queued"]);
    await call("PATCH", `/api/v1/routines/${routine.id}`, { overlap: "cancel_running" });
    const b3 = await send("b");
    expect(b3).toMatchObject({ reason: "overlap_cancel_running" });
    expect(await readRun(b1?.run_id ?? "")).toMatchObject({ cancel_reason: "superseded" });
    expect([await status(b2), await status(a3)]).toEqual(["canceled", "queued"]);
    expect(await readRun(a1?.run_id ?? "")).toMatchObject({ cancel_reason: null });
    for (const _ of [a1, b1]) await (await work()).finish();
    for (const _ of [a3, b3]) await (await work()).finish();
  });

  it("of fifty events at once in ten keys mixes none", async () => {
    const { routine, send } = await keyedRoutine({ overlap: "queue", max_concurrent: 4 });
    const keys = Array.from({ length: 50 }, (_, place) => `key ${place % 10}`);
    await Promise.all(keys.map((key, place) => send(key, `event ${place}`)));
    const all = await occurrences(routine);
    expect(all).toHaveLength(50);
    const byKey = new Map<string, Set<string>>();
    for (const { session_key = "", run_id } of all) {
      const sessions = byKey.get(session_key) ?? new Set();
      byKey.set(session_key, sessions.add(await sessionOf(run_id)));
    }
    expect([...byKey.values()].map(({ size }) => size)).toEqual(Array(10).fill(1));
    expect(new Set([...byKey.values()].flatMap((sessions) => [...sessions])).size).toBe(10);
    const on = new Map<string, FakeWork>();
    const seen = new Map<string, string[]>();
    for (let taken = 0; taken < 50; taken += 1) {
      const one = await work();
      const { session_id, task } = orderOf(one);
      // Never two of one session at a time.
      expect(on.has(session_id)).toBe(false);
      on.set(session_id, one);
      seen.set(session_id, [...(seen.get(session_id) ?? []), /"key \d"/.exec(task)?.[0] ?? ""]);
      if (on.size < 4 && taken < 46) continue;
      const [first] = on;
      on.delete(first?.[0] ?? "");
      await first?.[1].finish();
    }
    for (const one of on.values()) await one.finish();
    expect([...seen.values()].map((inside) => [inside.length, new Set(inside).size])).toEqual(Array(10).fill([5, 1]));
  });
});

describe("a run that waits for a person", () => {
  const PARKS = ["steer", "tools", "park"];
  const question: AskedQuestion = {
    id: "toolu_question",
    kind: "question",
    text: "Which colour?",
    choices: ["red", "blue"],
    default: "red",
    call: null,
    input_hash: "a".repeat(64),
  };

  it("makes way for a run behind it once its sandbox is given up", async () => {
    const { send } = await keyedRoutine({ overlap: "queue", max_concurrent: 1 });
    const first = await send("a");
    const runId = first?.run_id ?? "";
    const one = await nextWork(runner, PARKS);
    const second = await send("a");
    expect(second).toMatchObject({ reason: "session_busy" });
    const viewer = await watch(await sessionOf(runId));
    viewer.send({ type: "interrupt", id: "i1" });
    await one.link.next(({ type }) => type === "interrupt");
    await one.report({ kind: "took", n: 1 }, { kind: "waiting", for: "message" });
    // While its sandbox is kept, whoever has interrupted it may go on.
    expect((await readRun(second?.run_id ?? "")).status).toBe("queued");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 301_000 });
    await runDurableObjectAlarm(ownerOf(runId));
    vi.useRealTimers();
    await one.link.next(({ type }) => type === "park");
    const seen = { turns: 1, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 };
    await one.finish({ kind: "finished", outcome: { status: "parked", put_off: null }, report: null, seen });
    expect(await readRun(runId)).toMatchObject({ status: "canceled", cancel_reason: "superseded" });
    const two = await work();
    expect(two.offer.lease.run_id).toBe(second?.run_id);
    await two.finish();
  });

  it("to answer it is not woken by events: they wait for its end, or cancel it", async () => {
    const { routine, send } = await keyedRoutine();
    const first = await send("a");
    const one = await nextWork(runner, PARKS);
    await one.report({ kind: "waiting", for: "question", question });
    const second = await send("a");
    expect(second).toMatchObject({ outcome: "queued", reason: "session_busy" });
    const late = await send("a");
    expect(late).toMatchObject({ reason: "given_to_run", run_id: second?.run_id });
    expect((await readRun(first?.run_id ?? "")).status).toBe("waiting");
    await call("PATCH", `/api/v1/routines/${routine.id}`, { overlap: "cancel_running" });
    const third = await send("a");
    expect(await readRun(first?.run_id ?? "")).toMatchObject({ cancel_reason: "superseded" });
    await one.finish(CANCELED);
    const next = await work();
    expect(next.offer.lease.run_id).toBe(third?.run_id);
    // What the second was given and had no time for is the third's, which names it.
    await next.link.next(({ type }) => type === "message");
    expect((await readRun(third?.run_id ?? "")).trigger.occurrence_ids).toContain(late?.occurrence_id);
    await next.finish();
  });
});
