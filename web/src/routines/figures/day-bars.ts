/** Pure: the bars of a chart of days. */
import type { Stats } from "#protocol/stats.ts";
import { formatCost, plural } from "../../format/amounts.ts";

type Day = Stats["days"][number];

/** How many of a day's runs ended how; `open` has not ended, or not yet. */
export const DAY_KINDS = ["failed", "canceled", "open", "succeeded"] as const;
export type DayKind = (typeof DAY_KINDS)[number];

export interface Segment {
  kind: DayKind | "cost";
  /** From the top, and how high: parts of the chart's height. */
  y: number;
  height: number;
}

export interface DayBar {
  day: string;
  /** What it says, in words. */
  text: string;
  segments: Segment[];
}

/** A bar a day, as high as that day's runs are of the busiest day's. Successes stand at the foot. */
export function runBars(days: readonly Day[]): DayBar[] {
  const most = Math.max(1, ...days.map(({ runs }) => runs));
  return days.map((day) => {
    const counts = countsOf(day);
    let y = 1 - day.runs / most;
    const segments = DAY_KINDS.map((kind) => {
      const segment = { kind, y, height: counts[kind] / most };
      y += segment.height;
      return segment;
    });
    return { day: day.day, text: dayText(day), segments: segments.filter(({ height }) => height > 0) };
  });
}

export function costBars(days: readonly Day[]): DayBar[] {
  const most = Math.max(...days.map(({ cost_usd: cost }) => cost));
  return days.map(({ day, cost_usd: cost }) => {
    const height = most === 0 ? 0 : cost / most;
    const segments = height === 0 ? [] : [{ kind: "cost" as const, y: 1 - height, height }];
    return { day, text: `${day}: ${formatCost(cost)}`, segments };
  });
}

export function countsOf({ runs, succeeded, failed, canceled }: Day): Record<DayKind, number> {
  return { succeeded, failed, canceled, open: Math.max(0, runs - succeeded - failed - canceled) };
}

/** `2026-11-22: 3 runs, 2 succeeded, 1 failed`. */
export function dayText(day: Day): string {
  return [`${day.day}: ${plural(day.runs, "run")}`, ...countWords(countsOf(day))].join(", ");
}

const KIND_WORDS: Record<DayKind, string> = {
  succeeded: "succeeded",
  failed: "failed",
  canceled: "canceled",
  open: "not ended",
};

/** `2 succeeded`, `1 failed`: what there is none of is left out. */
export function countWords(counts: Record<DayKind, number>): string[] {
  return DAY_KINDS.toReversed().flatMap((kind) => (counts[kind] === 0 ? [] : [`${counts[kind]} ${KIND_WORDS[kind]}`]));
}

/** All days together. */
export function totalCounts(days: readonly Day[]): Record<DayKind, number> {
  const total = { succeeded: 0, failed: 0, canceled: 0, open: 0 };
  for (const counts of days.map(countsOf)) for (const kind of DAY_KINDS) total[kind] += counts[kind];
  return total;
}
