/** What the charts of a routine's days show. */
import { describe, expect, it } from "vitest";
import type { Stats } from "#protocol/stats.ts";
import { costBars, countWords, runBars, totalCounts } from "#web/src/routines/figures/day-bars.ts";

const NONE = { runs: 0, succeeded: 0, failed: 0, canceled: 0, cost_usd: 0 };
const DAYS: Stats["days"] = [
  { ...NONE, day: "2026-11-20" },
  { day: "2026-11-21", runs: 4, succeeded: 2, failed: 1, canceled: 0, cost_usd: 0.5 },
  { day: "2026-11-22", runs: 1, succeeded: 0, failed: 0, canceled: 1, cost_usd: 2 },
];

describe("a day's bar", () => {
  it("is as high as its runs are of the busiest day's, its parts without a gap, successes at the foot", () => {
    expect(runBars(DAYS)).toEqual([
      { day: "2026-11-20", text: "2026-11-20: 0 runs", segments: [] },
      {
        day: "2026-11-21",
        text: "2026-11-21: 4 runs, 2 succeeded, 1 not ended, 1 failed",
        segments: [
          { kind: "failed", y: 0, height: 0.25 },
          { kind: "open", y: 0.25, height: 0.25 },
          { kind: "succeeded", y: 0.5, height: 0.5 },
        ],
      },
      {
        day: "2026-11-22",
        text: "2026-11-22: 1 run, 1 canceled",
        segments: [{ kind: "canceled", y: 0.75, height: 0.25 }],
      },
    ]);
  });

  it("of costs is as high as the dearest day's, and none where nothing was spent", () => {
    expect(costBars(DAYS).map(({ text, segments }) => [text, segments[0]?.height ?? 0])).toEqual([
      ["2026-11-20: $0", 0],
      ["2026-11-21: $0.50", 0.25],
      ["2026-11-22: $2.00", 1],
    ]);
    expect(costBars([{ ...NONE, day: "2026-11-20" }])[0]?.segments).toEqual([]);
  });

  it("adds up to the words beside it", () => {
    expect(countWords(totalCounts(DAYS))).toEqual(["2 succeeded", "1 not ended", "1 canceled", "1 failed"]);
    expect(countWords(totalCounts([]))).toEqual([]);
  });
});
