/** What becomes of slots: on time, missed, made up for, folded; and sweeps that are late, doubled or out of order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatchUp, ScheduleTrigger } from "#protocol/triggers.ts";
import {
  CATCH_UP_LIMIT,
  LATE_LOOK_MS,
  LISTED_LIMIT,
  ON_TIME_MS,
  type PlannedSlot,
  planSlots,
  type SlotPlan,
} from "#rules/schedules/plan-slots.ts";
import { jitterMs, nextSlots } from "#rules/schedules/schedule.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NOON_MS = Date.parse("2027-03-01T12:00:00Z");
const ID = "trg_0ABCDEFGHJKMNPQRSTVWXYZ012";
const HOURLY: ScheduleTrigger = { id: ID, type: "schedule", every: "hourly", timezone: "UTC", catch_up: "latest" };

describe("a slot", () => {
  it("is due when it comes, and for five minutes", () => {
    const due = { atMs: NOON_MS, verdict: "due", reason: null };
    for (const nowMs of [NOON_MS, NOON_MS + ON_TIME_MS]) {
      for (const catch_up of ["none", "latest", "all"] as const) {
        const plan = planSlots({ trigger: { ...HOURLY, catch_up }, claimedUntilMs: NOON_MS - 1, nowMs });
        expect(plan).toEqual({ slots: [due], folded: null, claimedUntilMs: NOON_MS, lookAtMs: NOON_MS + HOUR_MS });
      }
    }
  });

  it("is not looked at before it comes, nor again when the clock steps back", () => {
    const before = planSlots({ trigger: HOURLY, claimedUntilMs: NOON_MS - HOUR_MS, nowMs: NOON_MS - 1 });
    expect(before).toEqual({ slots: [], folded: null, claimedUntilMs: NOON_MS - HOUR_MS, lookAtMs: NOON_MS });
    const back = planSlots({ trigger: HOURLY, claimedUntilMs: NOON_MS, nowMs: NOON_MS - DAY_MS });
    expect(back).toEqual({ slots: [], folded: null, claimedUntilMs: NOON_MS, lookAtMs: NOON_MS + HOUR_MS });
  });

  it("waits for the trigger's own delay, and is on time after it", () => {
    const trigger: ScheduleTrigger = { ...HOURLY, jitter: "30m" };
    const delayMs = jitterMs(ID, "30m");
    expect(delayMs).toBeGreaterThan(0);
    const claimedUntilMs = NOON_MS - HOUR_MS;
    const early = planSlots({ trigger, claimedUntilMs, nowMs: NOON_MS + delayMs - 1 });
    expect(early).toMatchObject({ slots: [], lookAtMs: NOON_MS + delayMs });
    const late = planSlots({ trigger, claimedUntilMs, nowMs: NOON_MS + delayMs + ON_TIME_MS });
    expect(late.slots).toEqual([{ atMs: NOON_MS, verdict: "due", reason: null }]);
    expect(late).toMatchObject({ claimedUntilMs: NOON_MS, lookAtMs: NOON_MS + HOUR_MS + delayMs });
  });

  it("of a one-off comes once, and is made up for as others are", () => {
    const trigger: ScheduleTrigger = {
      id: ID,
      type: "schedule",
      at: "2027-03-01T12:00Z",
      timezone: "UTC",
      catch_up: "latest",
    };
    const facts = { trigger, claimedUntilMs: NOON_MS - DAY_MS };
    expect(planSlots({ ...facts, nowMs: NOON_MS - 1 })).toMatchObject({ slots: [], lookAtMs: NOON_MS });
    const due = planSlots({ ...facts, nowMs: NOON_MS });
    expect(due).toMatchObject({ slots: [{ verdict: "due" }], claimedUntilMs: NOON_MS, lookAtMs: null });
    const late = planSlots({ ...facts, nowMs: NOON_MS + DAY_MS });
    expect(late).toMatchObject({ slots: [{ verdict: "catch_up" }], claimedUntilMs: NOON_MS, lookAtMs: null });
    expect(planSlots({ trigger, claimedUntilMs: NOON_MS, nowMs: NOON_MS + DAY_MS }).slots).toEqual([]);
  });
});

describe("after a pause of three hours", () => {
  const [nine, ten, eleven] = [NOON_MS - 3 * HOUR_MS, NOON_MS - 2 * HOUR_MS, NOON_MS - HOUR_MS];
  const missed = (atMs: number, reason: PlannedSlot["reason"]) => ({ atMs, verdict: "missed", reason });
  const started = (atMs: number, verdict: "due" | "catch_up") => ({ atMs, verdict, reason: null });

  it.each<[CatchUp, string, number, unknown[]]>([
    ["none", "between slots", NOON_MS - 1, [nine, ten, eleven].map((atMs) => missed(atMs, "slot_missed"))],
    [
      "none",
      "at a slot",
      NOON_MS,
      [...[nine, ten, eleven].map((at) => missed(at, "slot_missed")), started(NOON_MS, "due")],
    ],
    [
      "latest",
      "between slots",
      NOON_MS - 1,
      [missed(nine, "slot_superseded"), missed(ten, "slot_superseded"), started(eleven, "catch_up")],
    ],
    [
      "latest",
      "at a slot",
      NOON_MS,
      [...[nine, ten, eleven].map((at) => missed(at, "slot_superseded")), started(NOON_MS, "due")],
    ],
    ["all", "between slots", NOON_MS - 1, [nine, ten, eleven].map((atMs) => started(atMs, "catch_up"))],
    [
      "all",
      "at a slot",
      NOON_MS,
      [...[nine, ten, eleven].map((at) => started(at, "catch_up")), started(NOON_MS, "due")],
    ],
  ])("with catch_up %s, %s", (catch_up, _, nowMs, expected) => {
    const plan = planSlots({ trigger: { ...HOURLY, catch_up }, claimedUntilMs: nine - 1, nowMs });
    expect(plan.slots).toEqual(expected);
  });
});

describe("when looks fail to come for some minutes", () => {
  const startsOf = (trigger: Partial<ScheduleTrigger>, catch_up: CatchUp, minutes: number, seconds = 0) => {
    const timing = { id: ID, type: "schedule", timezone: "UTC", catch_up, ...trigger } as ScheduleTrigger;
    const delayMs = jitterMs(ID, timing.jitter);
    const nowMs = NOON_MS + minutes * MINUTE_MS + seconds * 1_000 + delayMs;
    const plan = planSlots({ trigger: timing, claimedUntilMs: NOON_MS - 1, nowMs });
    return plan.slots.filter(({ verdict }) => verdict !== "missed").map(({ atMs }) => (atMs - NOON_MS) / MINUTE_MS);
  };
  const minutesUpTo = (last: number) => Array.from({ length: last + 1 }, (_, at) => at);
  const gaps = minutesUpTo(10).flatMap((minutes) => [0, 20, 59].map((seconds) => [minutes, seconds] as const));

  it.each(gaps)(
    "for %i:%i, a schedule of every minute starts what catch_up says, and one look too few costs nothing",
    (minutes, seconds) => {
      const isLate = minutes < 2;
      for (const timing of [{ cron: "* * * * *" }, { cron: "*/1 * * * *", jitter: "1h" }]) {
        const newest = isLate ? minutesUpTo(minutes) : [minutes];
        expect(startsOf(timing, "none", minutes, seconds)).toEqual(newest);
        expect(startsOf(timing, "latest", minutes, seconds)).toEqual(newest);
        expect(startsOf(timing, "all", minutes, seconds)).toEqual(minutesUpTo(minutes));
      }
    },
  );

  it.each(gaps)(
    "for %i:%i, other schedules start their newest once, and none is made up for beside it",
    (minutes, seconds) => {
      const [isOnTime, isMissed] = [minutes < 5 || (minutes === 5 && seconds === 0), minutes * 60 + seconds > 300];
      expect([isOnTime, isMissed]).toContain(true);
      for (const timing of [
        { every: "hourly" as const },
        { every: "daily" as const, time: "12:00" },
        { at: "2027-03-01T12:00Z" },
        { cron: "0 12 1 * *", jitter: "30m" },
      ]) {
        expect(startsOf(timing, "none", minutes, seconds)).toEqual(isOnTime ? [0] : []);
        expect(startsOf(timing, "latest", minutes, seconds)).toEqual([0]);
        expect(startsOf(timing, "all", minutes, seconds)).toEqual([0]);
      }
    },
  );

  it.each([
    ["*/2 * * * *", 3, [2], [0, 2]],
    ["*/2 * * * *", 6, [6], [0, 2, 4, 6]],
    ["*/3 * * * *", 5, [3], [0, 3]],
    ["*/4 * * * *", 9, [8], [0, 4, 8]],
    ["0,1,5 * * * *", 6, [5], [0, 1, 5]],
    ["0,1 12 * * *", 1, [0, 1], [0, 1]],
  ])("%s after %i minutes: the newest alone, or all", (cron, minutes, newest, all) => {
    expect(startsOf({ cron }, "none", minutes)).toEqual(newest);
    expect(startsOf({ cron }, "latest", minutes)).toEqual(newest);
    expect(startsOf({ cron }, "all", minutes)).toEqual(all);
  });
});

describe("after a long absence", () => {
  const minutely: ScheduleTrigger = {
    id: ID,
    type: "schedule",
    cron: "* * * * *",
    timezone: "Europe/Paris",
    catch_up: "all",
  };

  it("makes up for the newest 24, oldest first, and tells of the others that they were too many", () => {
    const trigger: ScheduleTrigger = { ...HOURLY, catch_up: "all" };
    const plan = planSlots({ trigger, claimedUntilMs: NOON_MS - 30 * HOUR_MS, nowMs: NOON_MS - 1 });
    expect(plan.slots).toHaveLength(29);
    expect(plan.slots.slice(0, 5).map(({ reason }) => reason)).toEqual(Array(5).fill("catch_up_limit"));
    expect(plan.slots.slice(5).map(({ verdict }) => verdict)).toEqual(Array(CATCH_UP_LIMIT).fill("catch_up"));
    expect(plan.slots[5]?.atMs).toBe(NOON_MS - 24 * HOUR_MS);
  });

  it("lists the newest thousand missed, and counts the rest exactly", () => {
    const fromMs = Date.parse("2026-01-10T00:30:30Z");
    const plan = planSlots({ trigger: minutely, claimedUntilMs: fromMs, nowMs: NOON_MS });
    const missed = plan.slots.filter(({ verdict }) => verdict !== "due");
    const due = plan.slots.slice(missed.length);
    expect(due).toHaveLength(1);
    expect(missed).toHaveLength(LISTED_LIMIT);
    const firstListedMs = NOON_MS - (LISTED_LIMIT + due.length - 1) * MINUTE_MS;
    expect(missed[0]?.atMs).toBe(firstListedMs);
    const firstMs = fromMs + MINUTE_MS / 2;
    const count = (firstListedMs - firstMs) / MINUTE_MS;
    expect(plan.folded).toEqual({ count, firstMs, lastMs: firstListedMs - MINUTE_MS });
    expect(plan.claimedUntilMs).toBe(NOON_MS);
  });

  it("folds nothing of exactly a thousand missed", () => {
    const newestMissedMs = NOON_MS - MINUTE_MS;
    const facts = { trigger: minutely, nowMs: NOON_MS };
    const exact = planSlots({ ...facts, claimedUntilMs: newestMissedMs - LISTED_LIMIT * MINUTE_MS });
    expect(exact.folded).toBeNull();
    const firstMs = newestMissedMs - LISTED_LIMIT * MINUTE_MS;
    const oneMore = planSlots({ ...facts, claimedUntilMs: firstMs - 1 });
    expect(oneMore.folded).toEqual({ count: 1, firstMs, lastMs: firstMs });
    expect(oneMore.slots).toEqual(exact.slots);
  });
});

/** Weeks in which clocks change. */
const WEEKS: [zone: string, from: string][] = [
  ["UTC", "2027-03-22T00:00:00Z"],
  ["Europe/Paris", "2027-03-22T00:00:00Z"],
  ["Europe/Paris", "2027-10-25T00:00:00Z"],
  ["America/New_York", "2027-11-01T00:00:00Z"],
  ["America/Santiago", "2027-04-01T00:00:00Z"],
  ["Australia/Lord_Howe", "2027-03-30T00:00:00Z"],
  ["Pacific/Chatham", "2027-09-20T00:00:00Z"],
];
const CRONS = ["*/20 * * * *", "0 * * * *", "0 */2 * * *", "30 1,2,3 * * *", "15 2 * * *", "0 0 * * 0", "7 9 * * 1-5"];

interface History {
  week: [zone: string, from: string];
  cron: string;
  jitter: string | undefined;
  steps: number[];
}

/** Time that passes between sweeps: usual, doubled, back in time, hours, days. */
const stepMs = fc.oneof(
  { weight: 5, arbitrary: fc.constant(MINUTE_MS) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -10 * MINUTE_MS, max: 0 }) },
  { weight: 4, arbitrary: fc.integer({ min: MINUTE_MS, max: 30 * MINUTE_MS }) },
  { weight: 4, arbitrary: fc.integer({ min: HOUR_MS, max: 12 * HOUR_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: DAY_MS, max: 4 * DAY_MS }) },
);

const history: fc.Arbitrary<History> = fc.record({
  week: fc.constantFrom(...WEEKS),
  cron: fc.constantFrom(...CRONS),
  jitter: fc.constantFrom(undefined, "3m", "1h"),
  steps: fc.array(stepMs, { minLength: 1, maxLength: 60 }),
});

describe("over weeks of uneven sweeps", () => {
  it.each<CatchUp>(["none", "latest", "all"])(
    "each slot is told of once and in order, with catch_up %s",
    (catch_up) => {
      const run = ({ week: [timezone, from], cron, jitter, steps }: History) => {
        const common = { id: ID, type: "schedule", cron, timezone, catch_up } as const;
        const trigger: ScheduleTrigger = jitter === undefined ? common : { ...common, jitter };
        const startMs = Date.parse(from);
        let [nowMs, furthestMs, claimedUntilMs] = [startMs, startMs, startMs];
        const told: number[] = [];
        for (const step of steps) {
          nowMs = Math.min(nowMs + step, startMs + 14 * DAY_MS);
          furthestMs = Math.max(furthestMs, nowMs);
          const plan = planSlots({ trigger, claimedUntilMs, nowMs });
          checkPlan(plan, { trigger, claimedUntilMs, nowMs });
          told.push(...plan.slots.map(({ atMs }) => atMs));
          claimedUntilMs = plan.claimedUntilMs;
        }
        const untilMs = furthestMs - jitterMs(ID, jitter);
        expect(told).toEqual(slotsUntil(trigger, startMs, untilMs));
      };
      fc.assert(fc.property(history, run), { numRuns: 60 });
    },
  );
});

/** All slots after the start and up to the end: of an expression that is rarely met no years beyond it. */
function slotsUntil(trigger: ScheduleTrigger, startMs: number, untilMs: number): number[] {
  const slots: number[] = [];
  for (;;) {
    const next = nextSlots(trigger, slots.at(-1) ?? startMs, 50);
    slots.push(...next.filter((atMs) => atMs <= untilMs));
    if ((next.at(-1) ?? Number.POSITIVE_INFINITY) > untilMs) return slots;
  }
}

function checkPlan(plan: SlotPlan, facts: { trigger: ScheduleTrigger; claimedUntilMs: number; nowMs: number }): void {
  const { trigger, claimedUntilMs, nowMs } = facts;
  const delayMs = jitterMs(trigger.id, trigger.jitter);
  const lateFor = (slot: PlannedSlot) => nowMs - slot.atMs - delayMs;
  const due = plan.slots.filter(({ verdict }) => verdict === "due");
  const late = plan.slots.filter(({ verdict }) => verdict !== "due");
  const caughtUp = late.filter(({ verdict }) => verdict === "catch_up");
  expect(due.every((slot) => lateFor(slot) >= 0 && lateFor(slot) <= ON_TIME_MS)).toBe(true);
  expect(late.every((slot) => lateFor(slot) >= LATE_LOOK_MS || slot !== plan.slots.at(-1))).toBe(true);
  if (late.length > 0) expect(due.length).toBeLessThanOrEqual(1);
  const newest = { none: 0, latest: due.length === 0 ? Math.min(1, late.length) : 0, all: Math.min(24, late.length) };
  expect(caughtUp).toEqual(late.slice(late.length - newest[trigger.catch_up]));
  expect(plan.folded).toBeNull();
  expect(plan.claimedUntilMs).toBe(plan.slots.at(-1)?.atMs ?? claimedUntilMs);
  expect(plan.lookAtMs).toBe((nextSlots(trigger, plan.claimedUntilMs, 1)[0] ?? 0) + delayMs);
}
