/** The clock: the sweep finds what is due, the routine's object claims it once, and every time leaves a record. */
import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { countsOf, dueRowOf, occurrencesOf, passTo, sweptAt, tick, toldOf } from "#test/support/clock.ts";
import worker from "#worker/index.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-23T08:59:30.000Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

/** As the platform does it. @param cronAt what the cron was for. */
async function scheduledAt(time: string, cronAt = time): Promise<void> {
  passTo(time);
  await worker.scheduled(createScheduledController({ scheduledTime: new Date(cronAt), cron: "* * * * *" }), env);
}

async function read(id: string): Promise<Routine> {
  const { body } = await call<Routine>("GET", `/api/v1/routines/${id}`);
  return body;
}

async function patch(id: string, triggers: unknown[]): Promise<Routine> {
  const { status, body } = await call<Routine>("PATCH", `/api/v1/routines/${id}`, { triggers });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

function scheduled(...schedules: Record<string, unknown>[]) {
  return buildRoutine({ triggers: schedules.map((schedule) => ({ type: "schedule", ...schedule })) });
}

describe("a schedule", () => {
  it("shows its next three times, fires once at each, and whatever the sweep does, not twice", async () => {
    const routine = await scheduled({ cron: "0 10 * * *", timezone: "Europe/Paris" });
    expect((await read(routine.id)).triggers[0]?.next_fire_times).toEqual([
      "2026-11-23T09:00:00.000Z",
      "2026-11-24T09:00:00.000Z",
      "2026-11-25T09:00:00.000Z",
    ]);
    await scheduledAt("2026-11-23T09:00:00.000Z");
    await scheduledAt("2026-11-23T09:00:00.000Z");
    await vi.waitFor(async () => expect(await occurrencesOf(routine.id)).toHaveLength(1), 5_000);
    await tick("2026-11-23T09:05:00.000Z");
    expect(await toldOf(routine.id)).toEqual(["started admitted: Scheduled for 23 Nov 2026, 10:00 (Europe/Paris)"]);
    expect(await dueRowOf(routine.id)).toBe("2026-11-24T09:00:00.000Z");
  });

  it("is found by a sweep that comes late, and by one whose clock lags behind its cron", async () => {
    const routine = await scheduled({ cron: "*/30 * * * *" });
    await scheduledAt("2026-11-23T09:03:00.000Z", "2026-11-23T08:59:00.000Z");
    await vi.waitFor(async () => expect(await occurrencesOf(routine.id)).toHaveLength(1), 5_000);
    await scheduledAt("2026-11-23T09:29:59.990Z", "2026-11-23T09:30:00.000Z");
    passTo("2026-11-23T09:30:00.010Z");
    await vi.waitFor(async () => expect(await occurrencesOf(routine.id)).toHaveLength(2), 5_000);
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 2 });
  });

  it("fires once when two sweeps come at the same moment", async () => {
    const routine = await scheduled({ cron: "0 9 * * *" });
    const time = "2026-11-23T09:00:00.000Z";
    await Promise.all([tick(time), tick(time), tick(time)]);
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 1 });
    expect(await sweptAt(time)).toEqual([]);
  });

  it("fires once for each of its triggers, at their own times", async () => {
    const routine = await scheduled({ cron: "0 9 * * *" }, { every: "daily", time: "09:00" }, { cron: "1 9 * * *" });
    await tick("2026-11-23T09:00:00.000Z");
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 2 });
    expect(await dueRowOf(routine.id)).toBe("2026-11-23T09:01:00.000Z");
    await tick("2026-11-23T09:01:00.000Z");
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 3 });
  });

  it("waits for its delay, the same each time, and is not over before", async () => {
    const routine = await scheduled({ at: "2026-11-23T09:00:00Z", jitter: "1h" });
    const due = Date.parse((await dueRowOf(routine.id)) ?? "");
    expect(due).toBeGreaterThan(Date.parse("2026-11-23T09:00:00Z"));
    expect(due).toBeLessThan(Date.parse("2026-11-23T10:00:00Z"));
    await tick(new Date(due - 1).toISOString());
    expect(await toldOf(routine.id)).toEqual([]);
    expect((await read(routine.id)).triggers[0]).toMatchObject({
      status: "active",
      next_fire_times: ["2026-11-23T09:00:00.000Z"],
    });
    await tick(new Date(due).toISOString());
    expect(await toldOf(routine.id)).toEqual(["started admitted: Scheduled for 23 Nov 2026, 09:00 (UTC)"]);
    expect((await read(routine.id)).triggers[0]).toMatchObject({ status: "ended", next_fire_times: [] });
  });

  it("leaves an occurrence where the overlap policy, or a full queue, starts nothing", async () => {
    const skipping = await buildRoutine({
      overlap: "skip",
      triggers: [
        { type: "schedule", cron: "0 9 * * *" },
        { type: "schedule", cron: "*/30 * * * *" },
      ],
    });
    await tick("2026-11-23T09:00:00.000Z");
    expect(await countsOf(skipping.id)).toEqual({ "started admitted": 1, "skipped overlap_skip": 1 });
  });
});

describe("a one-off", () => {
  it("fires once, has ended, and is kept when the routine is written again", async () => {
    const routine = await scheduled({ at: "in 2 hours", timezone: "Asia/Kathmandu" });
    const [trigger] = routine.triggers;
    expect(trigger).toMatchObject({ at: "2026-11-23T11:00:00.000Z", next_fire_times: ["2026-11-23T11:00:00.000Z"] });
    await tick("2026-11-23T11:00:00.000Z");
    await tick("2026-11-23T11:01:00.000Z");
    expect(await toldOf(routine.id)).toEqual(["started admitted: Scheduled for 23 Nov 2026, 16:45 (Asia/Kathmandu)"]);
    expect((await read(routine.id)).triggers[0]).toMatchObject({ status: "ended", next_fire_times: [] });
    expect(await dueRowOf(routine.id)).toBeNull();
    const kept = await patch(routine.id, (await read(routine.id)).triggers);
    expect(kept.triggers[0]).toMatchObject({ id: trigger?.id, status: "ended" });
    await tick("2026-11-24T11:00:00.000Z");
    expect(await occurrencesOf(routine.id)).toHaveLength(1);
  });

  it("that is due while the routine is paused is refused, and has ended", async () => {
    const routine = await scheduled({ at: "2026-11-23T09:00:00Z" });
    await call("POST", `/api/v1/routines/${routine.id}/pause`);
    await tick("2026-11-23T09:00:00.000Z");
    passTo("2026-11-23T09:01:00.000Z");
    await call("POST", `/api/v1/routines/${routine.id}/resume`);
    await tick("2026-11-23T09:02:00.000Z");
    expect(await countsOf(routine.id)).toEqual({ "refused routine_paused": 1 });
    expect((await read(routine.id)).triggers[0]).toMatchObject({ status: "ended" });
    expect(await dueRowOf(routine.id)).toBeNull();
  });
});

describe("days without a sweep", () => {
  it.each([
    ["none", { "missed slot_missed": 72 }],
    ["latest", { "missed slot_superseded": 71, "started admitted": 1 }],
    ["all", { "missed catch_up_limit": 48, "started admitted": 5, "queued at_max_concurrent": 19 }],
  ])("with catch_up %s", async (catchUp, expected) => {
    const routine = await scheduled({ cron: "0 * * * *", catch_up: catchUp });
    await tick("2026-11-26T08:30:00.000Z");
    expect(await countsOf(routine.id)).toEqual(expected);
    await tick("2026-11-26T08:31:00.000Z");
    await tick("2026-11-26T09:00:00.000Z");
    const told = await toldOf(routine.id);
    expect(told).toHaveLength(73);
    expect(new Set(told.map((line) => line.replace(/^.*? for /, ""))).size).toBe(73);
    expect(told.at(-1)).toMatch(/^(started|queued) .*: Scheduled for 26 Nov 2026, 09:00 \(UTC\)$/);
  });

  it("and 200 triggers: every time is accounted for, a part at a time, and a full queue says so", async () => {
    const triggers = Array.from({ length: 200 }, (_, minute) => ({
      type: "schedule",
      cron: `${minute % 60} * * * *`,
      catch_up: "all",
    }));
    const routine = await buildRoutine({ overlap: "queue", triggers });
    await tick("2026-11-24T09:30:00.000Z");
    const counts = await countsOf(routine.id);
    expect(counts["started admitted"]).toBe(1);
    expect(counts["queued overlap_queue"]).toBe(1_000);
    expect(counts["refused queue_full"]).toBeGreaterThan(3_000);
    // A day and half an hour: 24 times, and once more for the minutes up to the thirtieth.
    const slots = Object.values(counts).reduce((sum, count) => sum + count, 0);
    expect(slots).toBe(200 * 24 + [...triggers.keys()].filter((minute) => minute % 60 <= 30).length);
    expect(await dueRowOf(routine.id)).toBe("2026-11-24T09:31:00.000Z");
  });
});
