/** What the instance's counter makes of an isolate's report. Pure. */
import type { MinuteCount } from "./minute-count.ts";

/** What an isolate tells the instance's counter: requests by the time at which they came, in Unix milliseconds. */
export interface GateReport {
  /** Requests that the isolate has let in. */
  in: number[];
  /** Requests that were counted before and have started nothing: they are taken back. */
  back: number[];
  /** Requests of which the isolate asks whether it may let them in. */
  asked: number[];
}

export interface GateAnswer {
  /** How many of `asked`, from the first on, may be let in. They are counted. */
  granted: number;
  /** Until when the limit is reached, in Unix milliseconds; null while there is room. */
  full_until: number | null;
}

/** Counts all that was let in, whatever the limit, and then as many of those that are asked about as there is room for. */
export function takeReport(count: MinuteCount, report: GateReport, limit: number, nowMs: number): GateAnswer {
  for (const atMs of report.back) count.remove(Math.min(atMs, nowMs));
  for (const atMs of report.in) count.add(Math.min(atMs, nowMs));
  count.forget(nowMs);
  const granted = Math.min(report.asked.length, Math.max(0, limit - count.total));
  for (const atMs of report.asked.slice(0, granted)) count.add(Math.min(atMs, nowMs));
  return { granted, full_until: count.fullUntil(limit) };
}
