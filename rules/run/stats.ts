/** Figures of many runs. Pure. */
import { roundDollars } from "#protocol/money.ts";
import type { RunResult, RunStatus } from "#protocol/run.ts";
import { RUN_STATES, runStatuses } from "#protocol/run-states.ts";
import type { Stats } from "#protocol/stats.ts";
import { dayOf, timestamp } from "#protocol/time.ts";

/** Times are Unix milliseconds. */
export interface CountedRun {
  admittedMs: number;
  startedMs: number | null;
  finishedMs: number | null;
  status: RunStatus;
  result: RunResult | null;
  costUsd: number;
}

export interface Stretch {
  fromMs: number;
  toMs: number;
  /** From here on every run is among those that are counted. */
  completeFromMs: number;
}

const DAY_MS = 86_400_000;

export function statsOf(runs: readonly CountedRun[], { fromMs, toMs, completeFromMs }: Stretch): Stats {
  const by_status = Object.fromEntries(runStatuses.map((status) => [status, 0])) as Stats["by_status"];
  const by_result: Stats["by_result"] = { done: 0, nothing_to_do: 0, blocked: 0, unknown: 0 };
  for (const { status, result } of runs) {
    by_status[status] += 1;
    if (result !== null) by_result[result] += 1;
  }
  const failed = by_status.failed + by_status.timed_out;
  const judged = failed + by_status.succeeded;
  return {
    from: timestamp(fromMs),
    to: timestamp(toMs),
    complete_from: timestamp(completeFromMs),
    runs: runs.length,
    by_status,
    by_result,
    error_rate: judged === 0 ? null : failed / judged,
    duration_ms: quantiles(runs.filter(({ status }) => RUN_STATES[status].isSettled).map(durationOf)),
    waited_ms: quantiles(runs.map(({ admittedMs, startedMs }) => between(admittedMs, startedMs))),
    cost_usd: roundDollars(runs.reduce((sum, { costUsd }) => sum + costUsd, 0)),
    days: daysOf(runs, fromMs, toMs),
  };
}

function daysOf(runs: readonly CountedRun[], fromMs: number, toMs: number): Stats["days"] {
  const days = new Map<string, Stats["days"][number]>();
  for (let ms = fromMs; ms < toMs; ms += DAY_MS) addDay(days, dayOf(ms));
  if (toMs > fromMs) addDay(days, dayOf(toMs - 1));
  for (const { admittedMs, status, costUsd } of runs) {
    const day = days.get(dayOf(admittedMs));
    if (day === undefined) continue;
    day.runs += 1;
    day.cost_usd = roundDollars(day.cost_usd + costUsd);
    if (status === "timed_out" || status === "failed") day.failed += 1;
    else if (status === "succeeded" || status === "canceled") day[status] += 1;
  }
  return [...days.values()];
}

function addDay(days: Map<string, Stats["days"][number]>, day: string): void {
  if (!days.has(day)) days.set(day, { day, runs: 0, succeeded: 0, failed: 0, canceled: 0, cost_usd: 0 });
}

function durationOf({ startedMs, finishedMs }: CountedRun): number | null {
  return startedMs === null ? null : between(startedMs, finishedMs);
}

function between(fromMs: number, toMs: number | null): number | null {
  return toMs === null ? null : Math.max(0, toMs - fromMs);
}

/** By nearest rank: each is a figure of one of the runs. */
function quantiles(figures: readonly (number | null)[]): { p50: number; p95: number } | null {
  const sorted = figures.filter((figure) => figure !== null).toSorted((one, other) => one - other);
  const rank = (part: number) => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
  const [p50, p95] = [rank(0.5), rank(0.95)];
  return p50 === undefined || p95 === undefined ? null : { p50, p95 };
}
