/** The one alarm of a routine's object: whatever fails or hangs, everything else is seen to, and it rings again in time. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Outbox } from "#durable-objects/routine/outbox/outbox.ts";
import { RoutineObject } from "#durable-objects/routine/routine-object.ts";
import { Deadlines } from "#durable-objects/routine/runs/deadlines.ts";
import { Viewers } from "#durable-objects/routine/viewers/viewers.ts";
import { Schedules } from "#durable-objects/routine/wakes/schedules.ts";
import type { OwnedId } from "#protocol/ids.ts";
import { buildRoutine, call, fired, readRun, watch } from "#test/support/api.ts";
import { realDeps, wokenAt } from "#test/support/clock.ts";
import { d1, fail, hang, pool, routine as routineParty } from "#test/support/hang.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import { lookAt } from "#worker/clock/look-at.ts";

const START = Date.parse("2026-11-23T08:59:30.000Z");
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** For when the object's alarm is armed. */
function alarmOf(id: string): Promise<number | null> {
  return runInDurableObject(ownerOf(id), (_object, state) => state.storage.getAlarm());
}

function sql(id: string, statement: string): Promise<void> {
  return runInDurableObject(ownerOf(id), (_object, state) => void state.storage.sql.exec(statement));
}

function owesNothing(id: string): Promise<boolean> {
  return runInDurableObject(
    ownerOf(id),
    (_object, { storage }) => [...storage.sql.exec("SELECT 1 FROM outbox")].length === 0,
  );
}

function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

async function ring(id: string): Promise<void> {
  expect(await runDurableObjectAlarm(ownerOf(id))).toBe(true);
}

/** The platform drops the alarm of an object that fails too often. */
async function loseAlarm(id: string): Promise<void> {
  await runInDurableObject(ownerOf(id), (_object, state) => state.storage.deleteAlarm());
}

describe("a call that is under way", () => {
  it.each([
    ["to the pool", () => pool("request")],
    ["to D1", () => d1(/INTO runs/)],
  ])("%s is waited for, and the alarm comes when it must have ended", async (_name, party) => {
    const routine = await buildRoutine();
    using silent = hang(party());
    const { run_id } = await fired(routine);
    await silent.untilMet();
    for (let ringing = 0; ringing < 3; ringing += 1) {
      pass(2_000);
      await ring(run_id);
      expect(await alarmOf(run_id)).toBeGreaterThan(Date.now() + 5_000);
    }
    expect(silent.met).toBe(1);
    silent.end();
    await vi.waitUntil(() => owesNothing(run_id));
  });

  it("is made again at once by an object that is made anew meanwhile", async () => {
    const routine = await buildRoutine();
    using silent = hang(pool("request"));
    const { run_id } = await fired(routine);
    await silent.untilMet();
    pass(2_000);
    await runInDurableObject(ownerOf(run_id), async (_object, state) => {
      const restarted = new RoutineObject(state, env);
      await vi.waitUntil(async () => ((await state.storage.getAlarm()) ?? 0) <= Date.now());
      await restarted.alarm();
    });
    await silent.untilMet(2);
  });

  it("to one routine holds up the telling of no other run's end", async () => {
    const before = await buildRoutine();
    const waits = { type: "routine", routine: before.name, on: ["canceled"] };
    const [silentOne, other] = [await buildRoutine({ triggers: [waits] }), await buildRoutine({ triggers: [waits] })];
    using silent = hang(routineParty("takeEvents", silentOne.id));
    for (const count of [1, 2]) {
      const { run_id } = await fired(before);
      await call("POST", `/api/v1/runs/${run_id}/cancel`);
      await silent.untilMet(count);
      await vi.waitUntil(async () => {
        const { body } = await call<{ data: unknown[] }>("GET", `/api/v1/routines/${other.id}/occurrences`);
        return body.data.length === count;
      });
    }
  });
});

describe("a deadline that throws", () => {
  it("undoes no other, and comes again with a wait that grows", async () => {
    const routine = await buildRoutine({ max_concurrent: 3 });
    const runs = [await fired(routine), await fired(routine), await fired(routine)];
    const [stuck, ...others] = runs.map(({ run_id }) => run_id);
    const session = runs[0]?.claude_code_session_id;
    await sql(
      routine.id,
      `CREATE TRIGGER fault BEFORE INSERT ON transcript WHEN NEW.session_id = '${session}'
       BEGIN SELECT RAISE(ABORT, 'fault'); END`,
    );
    pass(2 * HOUR_MS);
    await ring(routine.id);
    const statuses = await Promise.all(others.map(async (id) => (await readRun(id)).status));
    expect(statuses).toEqual(["failed", "failed"]);
    expect((await readRun(stuck ?? "")).status).toBe("starting");
    const waits: number[] = [];
    for (let ringing = 0; ringing < 6; ringing += 1) {
      const at = (await alarmOf(routine.id)) ?? 0;
      waits.push(at - Date.now());
      vi.setSystemTime(at);
      await ring(routine.id);
    }
    expect(waits).toEqual([...waits].sort((one, other) => one - other));
    expect(waits.at(-1)).toBeGreaterThan(10 * (waits[0] ?? 0));
    await sql(routine.id, "DROP TRIGGER fault");
    pass(HOUR_MS);
    await ring(routine.id);
    expect(await readRun(stuck ?? "")).toMatchObject({ status: "failed", error: { code: "no_runner" } });
  });
});

describe("when what the alarm looks after fails as a whole:", () => {
  const broken = () => {
    throw new Error("out of order");
  };
  it.each([
    ["deadlines", () => vi.spyOn(Deadlines.prototype, "look").mockImplementation(broken)],
    ["deadlines' times", () => vi.spyOn(Deadlines.prototype, "earliest").mockImplementation(broken)],
    ["owed calls", () => vi.spyOn(Outbox.prototype, "claim").mockImplementation(broken)],
    ["owed calls' times", () => vi.spyOn(Outbox.prototype, "earliest").mockImplementation(broken)],
    ["schedules", () => vi.spyOn(Schedules.prototype, "claimDue").mockImplementation(broken)],
    ["schedules' times", () => vi.spyOn(Schedules.prototype, "dueAt").mockImplementation(broken)],
    ["viewers", () => vi.spyOn(Viewers.prototype, "closeDue").mockImplementation(broken)],
    ["viewers' times", () => vi.spyOn(Viewers.prototype, "nextDue").mockImplementation(broken)],
  ] as const)("%s, the others go on, and it rings again", async (name, breakIt) => {
    const schedule = { type: "schedule", cron: "0 10 * * *", catch_up: "all" };
    const routine = await buildRoutine({ triggers: [{ type: "api" }, schedule], max_concurrent: 5 });
    using _down = fail(d1(/INTO runs/));
    const { run_id, claude_code_session_id: session } = await fired(routine);
    const viewer = await watch(session);
    const spy = breakIt();
    pass(2 * HOUR_MS);
    await ring(routine.id);
    if (!name.startsWith("deadlines")) expect((await readRun(run_id)).status).toBe("failed");
    if (!name.startsWith("schedules")) {
      const { body } = await call<{ data: unknown[] }>("GET", `/api/v1/routines/${routine.id}/occurrences`);
      expect(body.data).toHaveLength(2);
    }
    if (!name.startsWith("viewers")) await viewer.until(() => viewer.closed !== null);
    const again = (await alarmOf(routine.id)) ?? 0;
    expect(again).toBeGreaterThan(Date.now());
    expect(again).toBeLessThanOrEqual(Date.now() + MINUTE_MS);
    spy.mockRestore();
    pass(2 * MINUTE_MS);
    await ring(routine.id);
    expect((await readRun(run_id)).status).toBe("failed");
  });
});

describe("an alarm that was lost", () => {
  it.each([
    ["somebody reads", "GET", ""],
    ["somebody writes", "POST", "/token"],
    ["somebody fires", "POST", "/run"],
  ])("is armed again when the object is opened: %s", async (_what, verb, path) => {
    const routine = await buildRoutine();
    const { run_id } = await fired(routine);
    await loseAlarm(run_id);
    await evictOwnerOf(run_id);
    await call(verb, `/api/v1/routines/${routine.id}${path}`);
    expect(await alarmOf(run_id)).not.toBeNull();
    pass(2 * HOUR_MS);
    await ring(run_id);
    expect((await readRun(run_id)).status).toBe("failed");
  });

  it.each(["in memory", "evicted"])(
    "of an object %s is armed again by the sweep while a run has not settled",
    async (state) => {
      const routine = await buildRoutine();
      const { run_id } = await fired(routine);
      await vi.waitUntil(
        async () => (await env.DB.prepare("SELECT 1 FROM runs WHERE id = ?").bind(run_id).first()) !== null,
      );
      if (state === "evicted") await evictOwnerOf(run_id);
      await loseAlarm(run_id);
      if (state === "evicted") await evictOwnerOf(run_id);
      await lookAt(realDeps(), await wokenAt("2026-11-23T11:00:00.000Z"));
      expect(await alarmOf(run_id)).not.toBeNull();
      await ring(run_id);
      expect((await readRun(run_id)).status).toBe("failed");
      await vi.waitUntil(async () => {
        const row = await env.DB.prepare("SELECT status FROM runs WHERE id = ?").bind(run_id).first();
        return row?.["status"] === "failed";
      });
      expect((await wokenAt("2026-11-23T11:02:00.000Z")).map(({ routine_id }) => routine_id)).not.toContain(routine.id);
    },
  );
});

describe("an object whose configuration is wrong", () => {
  it("can be made, answers with what is wrong, keeps its alarm, and goes on once it is mended", async () => {
    const routine = await buildRoutine();
    const { run_id } = await fired(routine);
    await runInDurableObject(ownerOf(routine.id), async (_object, state) => {
      await state.storage.deleteAlarm();
      const faulty = new RoutineObject(state, { ...env, OWNER_TOKEN: "short" });
      const id = routine.id as OwnedId;
      const refusal = { code: "misconfigured", issues: [{ field: "OWNER_TOKEN" }] };
      await vi.waitFor(() => expect(faulty.read(id)).toMatchObject({ ok: false, refusal }));
      expect(await faulty.lookAtSchedules(id)).toMatchObject({ ok: false, refusal });
      expect(faulty.takeEvents(id, [])).toMatchObject({ ok: false, refusal });
      expect(() => faulty.leaseEnded(run_id as OwnedId, { run_id, generation: 1 }, "runner_lost")).toThrow(
        "misconfigured",
      );
      for (let ringing = 0; ringing < 10; ringing += 1) {
        pass(MINUTE_MS);
        await faulty.alarm();
        expect(await state.storage.getAlarm()).toBe(Date.now() + MINUTE_MS);
      }
    });
    await evictOwnerOf(routine.id);
    pass(2 * HOUR_MS);
    await ring(routine.id);
    expect((await readRun(run_id)).status).toBe("failed");
  });
});
