/** Containers that are kept warm: how many, for how long, and the life of each. */
import { describe, expect, it } from "vitest";
import {
  inMonth,
  monthOf,
  planWarm,
  type WarmContainer,
  type WarmState,
  warmMs,
  whyFewer,
} from "#rules/pool/plan-warm.ts";
import { nextWarmLife, nextWarmLook, type WarmLife, type WarmObservation } from "#rules/sandbox/warm-life.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 29, 12);
const MINUTE = 60_000;

const one = (name: string, differs: Partial<WarmContainer> = {}): WarmContainer => ({
  name,
  begunMs: NOW - MINUTE,
  readyMs: NOW - MINUTE,
  heardMs: NOW,
  ...differs,
});
const state = (differs: Partial<WarmState>): WarmState => ({
  setting: { containers: 2, hours_per_month: 10 },
  room: 5,
  containers: [],
  usedMs: 0,
  pausedUntilMs: 0,
  ...differs,
});

describe("how many are warm", () => {
  it.each<[string, Partial<WarmState>, { end?: string[]; begin: number }]>([
    ["none is there", {}, { begin: 2 }],
    ["one is there", { containers: [one("a")] }, { begin: 1 }],
    ["all are there", { containers: [one("a"), one("b")] }, { begin: 0 }],
    ["one is starting", { containers: [one("a", { readyMs: null })] }, { begin: 1 }],
    [
      "none is wanted any more",
      { setting: { containers: 0, hours_per_month: 10 }, containers: [one("a")] },
      { end: ["a"], begin: 0 },
    ],
    ["runs have taken the room", { room: 0, containers: [one("a"), one("b")] }, { end: ["a", "b"], begin: 0 }],
    ["there is room for one", { room: 1 }, { begin: 1 }],
    [
      "there is room for one, and one is ready",
      { room: 1, containers: [one("a", { readyMs: null }), one("b")] },
      { end: ["a"], begin: 0 },
    ],
    [
      "one has waited for ten minutes",
      { containers: [one("a", { begunMs: NOW - 10 * MINUTE }), one("b")] },
      { end: ["a"], begin: 1 },
    ],
    [
      "one has fallen silent",
      { containers: [one("a", { heardMs: NOW - 3 * MINUTE }), one("b")] },
      { end: ["a"], begin: 1 },
    ],
    ["the hours are used up", { usedMs: 10 * HOUR, containers: [one("a")] }, { end: ["a"], begin: 0 }],
    [
      "those that wait use the last of them",
      { usedMs: 10 * HOUR - MINUTE, containers: [one("a")] },
      { end: ["a"], begin: 0 },
    ],
    ["no hours are given", { setting: { containers: 2, hours_per_month: 0 } }, { begin: 0 }],
    ["the last could not be started", { pausedUntilMs: NOW + 1 }, { begin: 0 }],
    ["that is a while ago", { pausedUntilMs: NOW }, { begin: 2 }],
  ])("where %s", (_what, differs, { end = [], begin }) => {
    const plan = planWarm(state(differs), NOW);
    expect([plan.end, plan.begin]).toEqual([end, begin]);
  });

  it.each<[string, Partial<WarmState>, number | null]>([
    ["one is to be replaced", { containers: [one("a"), one("b")] }, NOW + 2 * MINUTE + 50_000],
    [
      "one is heard of again and again",
      { containers: [one("a", { heardMs: NOW + HOUR }), one("b", { heardMs: NOW + HOUR })] },
      NOW + 9 * MINUTE,
    ],
    [
      "the hours are used up by two at once",
      { usedMs: 10 * HOUR - 4 * MINUTE, containers: [one("a"), one("b")] },
      NOW + MINUTE,
    ],
    ["a pause ends", { pausedUntilMs: NOW + 7 }, NOW + 7],
    ["a month begins", { usedMs: 10 * HOUR }, Date.UTC(2026, 11, 1)],
    ["nothing is wanted", { setting: { containers: 0, hours_per_month: 10 } }, null],
    ["there is no room", { room: 0 }, null],
  ])("is looked at again when %s", (_what, differs, at) => {
    expect(planWarm(state(differs), NOW).nextMs).toBe(at);
  });

  it.each<[string, Partial<WarmState & { obstacle: string }>, RegExp | null]>([
    ["all is well", { containers: [one("a")] }, null],
    ["none is wanted", { setting: { containers: 0, hours_per_month: 0 }, room: 0 }, null],
    [
      "the hours are used up",
      { usedMs: 10 * HOUR },
      /^The 10 hours of this month are used up: .* from 2026-12-01 on\.$/,
    ],
    ["runs have taken the room, or there is less than that", { room: 1 }, /^Fewer of the instance's/],
    ["something is in the way", { obstacle: "There is no image." }, /^There is no image\.$/],
  ])("says why where %s", (_what, differs, words) => {
    const why = whyFewer({ obstacle: null, ...state(differs), ...differs }, NOW);
    if (words === null) expect(why).toBeNull();
    else expect(why).toMatch(words);
  });

  it("counts the hours of a month by itself, in UTC", () => {
    const newYear = Date.UTC(2027, 0, 1);
    expect(inMonth(newYear - HOUR, newYear + MINUTE)).toBe(MINUTE);
    expect(inMonth(NOW + MINUTE, NOW)).toBe(0);
    expect(warmMs({ containers: [one("a"), one("b")], usedMs: HOUR }, NOW)).toBe(HOUR + 2 * MINUTE);
    expect([newYear - 1, newYear].map(monthOf)).toEqual(["2026-12", "2027-01"]);
  });
});

describe("a container that waits", () => {
  const starting: WarmLife = { state: "starting", byMs: NOW + MINUTE };
  const late: WarmLife = { state: "starting", byMs: NOW };
  const ready: WarmLife = { state: "ready" };
  const given: WarmLife = { state: "given", byMs: NOW + MINUTE };
  const overdue: WarmLife = { state: "given", byMs: NOW };
  const ending: WarmLife = { state: "ending", reason: null, tries: 1 };
  const looked = (isRunning: boolean, isStartKnown = false) => ({ type: "looked" as const, isRunning, isStartKnown });
  const asked = (isReady: boolean | null) => ({ type: "asked" as const, isReady });

  it.each<[WarmLife, WarmObservation, string | null]>([
    [starting, asked(true), "ready"],
    [starting, asked(false), null],
    [starting, asked(null), null],
    [starting, looked(false, true), null],
    [starting, looked(true), null],
    [starting, looked(false), "ending: it ended while it waited"],
    [late, looked(true, true), "ending: it was not ready in time"],
    [starting, { type: "start_failed", reason: "no room" }, "ending: no room"],
    [starting, { type: "given" }, null],
    [ready, { type: "given" }, "given"],
    [ready, asked(true), null],
    [ready, asked(false), "ending: it did not answer while it waited"],
    [ready, asked(null), "ending: it did not answer while it waited"],
    [ready, looked(false), "ending: it ended while it waited"],
    [ready, { type: "exited" }, "ending: it ended while it waited"],
    [ready, { type: "kill" }, "ending: null"],
    [ready, { type: "disowned" }, "ending: null"],
    [ready, { type: "not_settled" }, null],
    [given, { type: "given" }, null],
    [given, asked(null), null],
    [given, looked(false), null],
    [given, { type: "kill" }, null],
    [given, { type: "not_taken", reason: "hangs" }, "ending: hangs"],
    [overdue, looked(true), "ending: null"],
    [ending, looked(true), null],
    [ending, { type: "given" }, null],
    [ending, { type: "not_settled" }, "ending: null"],
  ])("%o, of which %o is seen, becomes %s", (life, seen, expected) => {
    const next = nextWarmLife(life, seen, NOW);
    expect(next?.state === "ending" ? `ending: ${next.reason}` : (next?.state ?? null)).toBe(expected);
  });

  it.each<[WarmLife, number]>([
    [starting, NOW + 5_000],
    [late, NOW],
    [ready, NOW + 4_000],
    [given, NOW + MINUTE],
    [ending, NOW + 2_000],
    [{ state: "ending", reason: null, tries: 30 }, NOW + MINUTE],
  ])("%o is looked at again in time", (life, at) => {
    expect(nextWarmLook(life, 4_000, NOW)).toBe(at);
  });
});
