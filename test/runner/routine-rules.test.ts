/** Which routines have a spare of their own. */
import { describe, expect, it } from "vitest";
import { nextForgotten, type RoutineRuns, routinesToKeep } from "#sandbox-runner/runner/routine-rules.ts";

const MINUTE_MS = 60_000;
const NOW_MS = 100 * MINUTE_MS;

/** @param minutesAgo when its runs have come, the latest last. */
function routine(name: string, minutesAgo: number[], changes: Partial<RoutineRuns> = {}): RoutineRuns {
  const cameAtMs = minutesAgo.map((minutes) => NOW_MS - minutes * MINUTE_MS);
  return { routine: name, cameAtMs, isPreparable: true, isKept: false, ...changes };
}

describe("a routine has a spare", () => {
  it.each<[string, RoutineRuns[], number, string[]]>([
    ["when two of its runs came within the hour", [routine("a", [59, 1])], 1, ["a"]],
    ["not for one run", [routine("a", [1])], 1, []],
    ["not for two with more than an hour between them", [routine("a", [60, 0])], 1, []],
    ["not when it isn't wanted", [routine("a", [2, 1])], 0, []],
    ["not where nothing can be prepared", [routine("a", [2, 1], { isPreparable: false })], 1, []],
    ["before one that fires less often", [routine("a", [2, 1]), routine("b", [50, 40, 30])], 1, ["b"]],
    [
      "before one that fires as often and has none",
      [routine("a", [2, 1]), routine("b", [9, 8], { isKept: true })],
      1,
      ["b"],
    ],
    [
      "before one whose last run is older",
      [routine("a", [9, 8]), routine("b", [9, 1]), routine("c", [9, 2])],
      2,
      ["b", "c"],
    ],
    ["until none of its runs counts any more", [routine("a", [59], { isKept: true })], 1, ["a"]],
    ["not for longer", [routine("a", [60], { isKept: true })], 1, []],
    [
      "before one that is ahead by a run or two, as one that fires as often now and then is",
      [routine("a", [4, 3, 2, 1]), routine("b", [9, 8], { isKept: true })],
      1,
      ["b"],
    ],
    [
      "not before one that fires clearly more often",
      [routine("a", [5, 4, 3, 2, 1]), routine("b", [9, 8], { isKept: true })],
      1,
      ["a"],
    ],
    ["not before one that fires more often now", [routine("a", [70, 65, 9, 8]), routine("b", [3, 2, 1])], 1, ["b"]],
  ])("%s", (_when, all, most, kept) => {
    expect(routinesToKeep(all, most, NOW_MS)).toEqual(kept);
  });
});

it("looks again when the first of the times stops to count", () => {
  expect(nextForgotten([routine("a", [30, 20]), routine("b", [40])])).toBe(NOW_MS + 20 * MINUTE_MS);
  expect(nextForgotten([routine("a", [])])).toBeNull();
});
