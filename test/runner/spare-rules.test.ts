/** When another spare executor is prepared. */
import { describe, expect, it } from "vitest";
import { isYielding, nextPreparation, type SpareState } from "#sandbox-runner/runner/spare-rules.ts";

const none: SpareState = {
  wanted: 1,
  kept: 0,
  isPreparing: false,
  losses: 0,
  lostAtMs: 0,
  startingSinceMs: null,
};

describe("the next spare is prepared", () => {
  it.each<[string, Partial<SpareState>, number | null]>([
    ["at once when one is missing", {}, 0],
    ["never when none is wanted", { wanted: 0 }, null],
    ["not while there are as many as are wanted", { kept: 1 }, null],
    ["not while another is being prepared", { wanted: 3, kept: 1, isPreparing: true }, null],
    ["next to one that is ready", { wanted: 3, kept: 1 }, 0],
    ["not beside a run that is starting, for a while", { startingSinceMs: 5_000 }, 25_000],
    ["a second after one was lost", { losses: 1, lostAtMs: 7_000 }, 8_000],
    ["ever later when each is lost", { losses: 4, lostAtMs: 7_000 }, 15_000],
    ["a minute later at most", { losses: 50, lostAtMs: 7_000 }, 67_000],
    ["when both reasons to wait are over", { losses: 1, lostAtMs: 30_000, startingSinceMs: 5_000 }, 31_000],
  ])("%s", (_when, state, at) => {
    expect(nextPreparation({ ...none, ...state })).toBe(at);
  });
});

describe("all that can wait", () => {
  it.each<[string, number | null, boolean]>([
    ["does not, while no run is starting", null, false],
    ["does, beside one that has just begun", 100_000, true],
    ["does, beside one of nearly twenty seconds", 80_001, true],
    ["does not any more, beside one of twenty seconds", 80_000, false],
  ])("%s", (_when, startingSinceMs, isSo) => {
    expect(isYielding(startingSinceMs, 100_000)).toBe(isSo);
  });
});
