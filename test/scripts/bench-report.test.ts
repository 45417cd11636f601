/** What the bench tells of a figure: medians, the ratio of the rounds, and whether its goal is reached. */
import { expect, it } from "vitest";
import { asJson, asTable, type Facts } from "../../bench/report.ts";
import { type Figure, isReached } from "../../bench/row.ts";
import { compared } from "../../bench/support/interleave.ts";

const FACTS: Facts = {
  at: "2026-11-30T00:00:00.000Z",
  cpus: 2,
  cpu: "a processor",
  memory_mib: 1,
  platform: "linux x64",
  node: "v24.0.0",
  workerd: ["workerd 2026-11-17"],
  commit: null,
};
/** The third round met another program, on both sides. */
const SIDES = { ours: [20, 22, 80], baseline: [10, 10, 50] };

function figure(value: number, bound: "at most" | "at least" = "at most"): Figure {
  return { what: "p50", unit: "ms", ...compared(SIDES, (ms) => ms), goal: { bound, value } };
}

it("has the median of the rounds' ratios, each of what both sides met at the time, and their range", () => {
  expect(compared(SIDES, (ms) => ms)).toEqual({
    ours: 22,
    baseline: 10,
    ratio: { median: 2, min: 1.6, max: 2.2 },
  });
  expect(compared({ ours: [{ ms: 3 }], baseline: [{ ms: 2 }] }, ({ ms }) => ms).ratio.median).toBe(1.5);
});

it.each([
  ["at most", 2, true],
  ["at most", 1.99, false],
  ["at least", 2, true],
  ["at least", 2.01, false],
] as const)("the goal of %s %d is judged by that median", (bound, value, reached) => {
  expect(isReached(figure(value, bound))).toBe(reached);
});

it("is shown with ratio, range, goal and the program that has served", () => {
  const rows = [{ id: "fire", title: "", baseline: "", figures: [figure(1.8)], seconds: 1 }];
  const table = asTable(FACTS, rows);
  expect(table).toMatch(/fire +p50 +22 ms +10 ms +2 × +1\.6\.\.2\.2 +≤ 1\.8 × +NO\n/);
  expect(table).toMatch(/\nworkerd 2026-11-17, Node v24\.0\.0, 2 × a processor$/);
  expect(JSON.parse(asJson(FACTS, rows))).toMatchObject({
    workerd: ["workerd 2026-11-17"],
    rows: [{ figures: [{ ratio: 2, ratio_range: [1.6, 2.2], reached: false }] }],
  });
});
