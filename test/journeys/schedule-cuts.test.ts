/** The way from the sweep to the object is cut off at each of its steps: every time still fires, and once. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { success } from "#protocol/errors.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { countsOf, dueRowOf, occurrencesOf, passTo, realDeps, sweptAt, tick, toldOf } from "#test/support/clock.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import type { ClockMessage } from "#worker/bindings.ts";
import { lookAt } from "#worker/clock/look-at.ts";
import { sweep } from "#worker/clock/sweep.ts";
import type { Deps } from "#worker/deps.ts";
import worker from "#worker/index.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-23T08:59:30.000Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

const CALLS = ["read", "send", "postpone", "look", "settle"] as const;
type Call = (typeof CALLS)[number];
interface Cut {
  at: Call;
  /** Whether the call takes effect, and only its answer is lost. */
  isDone: boolean;
}

/** A worker that is killed at a step: nothing of it goes on afterwards. What it sent before stays sent. */
function killedAt(cut: Cut): {
  deps: Parameters<typeof sweep>[0] & Parameters<typeof lookAt>[0];
  sent: ClockMessage[];
} {
  const real = realDeps();
  const sent: ClockMessage[] = [];
  let isDead = false;
  const step = async <Value>(at: Call, work: () => Promise<Value>): Promise<Value> => {
    if (isDead) throw new Error("killed");
    isDead = at === cut.at;
    if (isDead && !cut.isDone) throw new Error("killed before");
    const value = await work();
    if (isDead) throw new Error("killed after");
    return value;
  };
  const due: Deps["due"] = {
    due: (...order) => step("read", () => real.due.due(...order)),
    postpone: (...order) => step("postpone", () => real.due.postpone(...order)),
    settle: (...order) => step("settle", () => real.due.settle(...order)),
    unsettled: async () => [],
    withRunsBefore: async () => [],
    forgetPushes: (before) => real.due.forgetPushes(before),
  };
  return {
    sent,
    deps: {
      config: real.config,
      due,
      deliveries: real.deliveries,
      deliveryLists: real.deliveryLists,
      inbox: real.inbox,
      index: real.index,
      fillRoster: real.fillRoster,
      heartbeats: real.heartbeats,
      sweepSignIns: real.sweepSignIns,
      settlePushes: real.settlePushes,
      pool: real.pool,
      pools: real.pools,
      secrets: real.secrets,
      madeByKey: real.madeByKey,
      revokeOwed: real.revokeOwed,
      setupArchives: real.setupArchives,
      notifications: real.notifications,
      sendDue: (messages) => step("send", async () => void sent.push(...messages)),
      ownerOf: (id) => ({ lookAtSchedules: () => step("look", async () => await real.ownerOf(id).lookAtSchedules()) }),
    },
  };
}

const cuts = CALLS.flatMap((at) => [false, true].map((isDone) => ({ at, isDone })));

describe.each(["comes again", "is lost"] as const)("the queue's message %s", (fate) => {
  it.each(cuts)("killed at $at, done: $isDone", async (cut) => {
    const routine = await buildRoutine({
      overlap: "queue",
      triggers: [
        { type: "schedule", cron: "* * * * *" },
        { type: "schedule", at: "2026-11-23T09:01:00Z" },
      ],
    });
    await tick("2026-11-23T09:00:00.000Z");
    passTo("2026-11-23T09:01:00.000Z");
    const { deps, sent } = killedAt(cut);
    await sweep(deps, Date.now());
    await lookAt(deps, sent).catch(() => undefined);
    await evictOwnerOf(routine.id);
    if (fate === "comes again") await lookAt(realDeps(), sent);
    for (const minute of [2, 3, 4]) await tick(`2026-11-23T09:0${minute}:00.000Z`);
    const told = (await toldOf(routine.id)).map((line) => line.replace(/^.*for /, "")).sort();
    const slots = ["09:00", "09:01", "09:01", "09:02", "09:03", "09:04"];
    expect(told).toEqual(slots.map((time) => `23 Nov 2026, ${time} (UTC)`));
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 1, "queued overlap_queue": 5 });
    expect(await dueRowOf(routine.id)).toBe("2026-11-23T09:05:00.000Z");
    expect((await call("DELETE", `/api/v1/routines/${routine.id}`)).status).toBe(204);
  });
});

describe("without anybody's help", () => {
  it.each([
    ["is lost", "DELETE FROM due_routines WHERE routine_id = ?"],
    ["says next year", "UPDATE due_routines SET due_at = due_at + 31536000000 WHERE routine_id = ?"],
  ])("a routine whose row in D1 %s fires on time, and has D1 told anew", async (_what, damage) => {
    const routine = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *", catch_up: "none" }] });
    await env.DB.prepare(damage).bind(routine.id).run();
    expect(await sweptAt("2026-11-23T09:00:00.000Z")).toEqual([]);
    await evictOwnerOf(routine.id);
    passTo("2026-11-23T09:04:00.000Z");
    expect(await runDurableObjectAlarm(ownerOf(routine.id))).toBe(true);
    expect(await toldOf(routine.id)).toEqual(["started admitted: Scheduled for 23 Nov 2026, 09:00 (UTC)"]);
    await vi.waitFor(async () => expect(await dueRowOf(routine.id)).toBe("2026-11-24T09:00:00.000Z"), 5_000);
  });

  it("a look that fails is tried again a minute later, and has claimed nothing", async () => {
    const routine = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
    const inObject = (query: string) =>
      runInDurableObject(ownerOf(routine.id), (_object, state) => void state.storage.sql.exec(query));
    await inObject("ALTER TABLE occurrences RENAME TO occurrences_away");
    const sent = await sweptAt("2026-11-23T09:00:00.000Z");
    expect(await lookAt(realDeps(), sent)).toEqual(new Set([routine.id]));
    passTo("2026-11-23T09:04:00.000Z");
    expect(await runDurableObjectAlarm(ownerOf(routine.id))).toBe(true);
    const alarmAt = await runInDurableObject(ownerOf(routine.id), (_object, state) => state.storage.getAlarm());
    expect(alarmAt).toBeGreaterThan(Date.now());
    expect(alarmAt).toBeLessThanOrEqual(Date.parse("2026-11-23T09:05:00.000Z"));
    await inObject("ALTER TABLE occurrences_away RENAME TO occurrences");
    passTo("2026-11-23T09:05:00.000Z");
    expect(await runDurableObjectAlarm(ownerOf(routine.id))).toBe(true);
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 1 });
  });

  it("a routine that has been looked at in time is left alone by its alarm", async () => {
    const routine = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
    await tick("2026-11-23T09:00:00.000Z");
    passTo("2026-11-23T09:04:00.000Z");
    expect(await runDurableObjectAlarm(ownerOf(routine.id))).toBe(true);
    passTo("2026-11-24T09:04:00.000Z");
    expect(await runDurableObjectAlarm(ownerOf(routine.id))).toBe(true);
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 2 });
  });
});

describe("the queue", () => {
  it("has only the message repeated whose routine could not be looked at", async () => {
    const routine = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
    passTo("2026-11-23T09:00:00.000Z");
    const bodies: ClockMessage[] = [{ routine_id: "nobody" }, { routine_id: routine.id }, { routine_id: routine.id }];
    const retried: string[] = [];
    const messages = bodies.map((body, index) => ({
      id: String(index),
      timestamp: new Date(),
      attempts: 1,
      body,
      ack: () => undefined,
      retry: () => void retried.push(body.routine_id),
    }));
    const batch = { queue: "reveille-clock", messages, ackAll: () => undefined, retryAll: () => undefined };
    await worker.queue({ ...batch, metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } }, env);
    expect(retried).toEqual(["nobody"]);
    expect(await occurrencesOf(routine.id)).toHaveLength(1);
    expect(await dueRowOf(routine.id)).toBe("2026-11-24T09:00:00.000Z");
  });

  it("goes on with the others when an object does not answer, and has that one repeated", async () => {
    const silent = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
    const routine = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
    const sent = [{ routine_id: silent.id }, { routine_id: routine.id }];
    const deps = realDeps();
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.parse("2026-11-23T09:00:00.000Z") });
    const never = new Promise<never>(() => undefined);
    const ownerOf = (id: string) => (id === silent.id ? { lookAtSchedules: () => never } : deps.ownerOf(id));
    const looked = lookAt({ ...deps, ownerOf }, sent);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await looked).toEqual(new Set([silent.id]));
    vi.useRealTimers();
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 1 });
    expect(await dueRowOf(routine.id)).toBe("2026-11-24T09:00:00.000Z");
  });

  it("leaves a routine that has too much to make up for to the next sweep", async () => {
    const routine = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
    let parts = 0;
    const lookAtSchedules = async () => {
      parts += 1;
      return success({ due_at: Date.parse("2026-11-23T08:59:00.000Z"), version: 100, faults: [] });
    };
    await lookAt({ ...realDeps(), ownerOf: () => ({ lookAtSchedules }) }, [{ routine_id: routine.id }]);
    expect(parts).toBe(50);
    expect(await dueRowOf(routine.id)).toBe("2026-11-23T08:59:00.000Z");
  });

  it("has everything repeated that D1 has not taken in, and nothing fires again", async () => {
    const routine = await buildRoutine({ triggers: [{ type: "schedule", cron: "* * * * *" }] });
    const sent = await sweptAt("2026-11-23T09:00:00.000Z");
    await env.DB.exec("ALTER TABLE due_routines RENAME TO due_routines_away");
    await expect(lookAt(realDeps(), sent)).rejects.toThrow("due_routines");
    expect(await sweptAt("2026-11-23T09:01:00.000Z")).toEqual([]);
    await env.DB.exec("ALTER TABLE due_routines_away RENAME TO due_routines");
    await lookAt(realDeps(), sent);
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 2 });
    expect(await dueRowOf(routine.id)).toBe("2026-11-23T09:02:00.000Z");
  });
});
