/** Figures of runs. */
import { expect, it } from "vitest";
import { type CountedRun, statsOf } from "#rules/run/stats.ts";

const FROM = Date.parse("2026-11-20T12:00:00Z");
const TO = Date.parse("2026-11-22T12:00:00Z");
const STRETCH = { fromMs: FROM, toMs: TO, completeFromMs: FROM };

function run(status: CountedRun["status"], more: Partial<CountedRun> = {}): CountedRun {
  const at = { admittedMs: FROM, startedMs: FROM + 1_000, finishedMs: FROM + 11_000 };
  return { ...at, status, result: null, costUsd: 0.1, ...more };
}

it("of nothing are noughts, and no rates", () => {
  expect(statsOf([], STRETCH)).toMatchObject({
    runs: 0,
    error_rate: null,
    duration_ms: null,
    waited_ms: null,
    cost_usd: 0,
  });
});

it("have every day of the stretch", () => {
  expect(statsOf([], STRETCH).days.map(({ day }) => day)).toEqual(["2026-11-20", "2026-11-21", "2026-11-22"]);
});

it("leave canceled runs and those that are on out of the error rate", () => {
  const runs = [
    run("succeeded"),
    run("failed"),
    run("timed_out"),
    run("canceled"),
    run("running", { finishedMs: null }),
  ];
  const stats = statsOf(runs, STRETCH);
  expect(stats.error_rate).toBeCloseTo(2 / 3);
  expect(stats.days[0]).toEqual({ day: "2026-11-20", runs: 5, succeeded: 1, failed: 2, canceled: 1, cost_usd: 0.5 });
});

it("give durations by nearest rank, of what has begun and ended", () => {
  const durations = [10, 20, 30, 40, 1_000];
  const runs = durations.map((ms) => run("succeeded", { finishedMs: FROM + 1_000 + ms }));
  const never = run("canceled", { startedMs: null, finishedMs: FROM + 5 });
  expect(statsOf([...runs, never], STRETCH).duration_ms).toEqual({ p50: 30, p95: 1_000 });
});
