/** What a row of the table is. */
import type { Spread } from "./support/statistics.ts";

/** MB is a million bytes, as disks are sold by; MiB is for memory. */
export const UNITS = ["ms", "/s", "rows", "MiB", "MB", "×"] as const;

export interface Figure {
  what: string;
  unit: (typeof UNITS)[number];
  ours: number;
  baseline: number | null;
  /** The ratios of the rounds, where each round has measured both sides: what else the machine did then met both. */
  ratio?: Spread;
  /** What the ratio ours/baseline (or, without a baseline, ours) has to reach; null for information. */
  goal: Goal | null;
}

export interface Goal {
  bound: "at most" | "at least";
  value: number;
  /** Set where our own figure counts, though there is a baseline. */
  of?: "ours";
}

/** So many that the median of a ratio stays where it is when the bench is run again. */
export const ROUNDS = 9;

export interface Row {
  id: string;
  title: string;
  /** What it is compared with, in a few words. */
  baseline: string;
  /** What this machine lacks for it, in a few words; null when it can be measured. */
  lacks?(): string | null;
  /** How many rounds it has where nine would take too long. */
  rounds?: number;
  /** @param rounds how often each side is to be measured; a row that has no rounds takes no notice. */
  measure(rounds: number): Promise<Figure[]>;
}

/** The median of the rounds' ratios, or ours/baseline where there is one; null without a baseline. */
export function ratioOf({ ours, baseline, ratio }: Figure): number | null {
  return baseline === null ? null : (ratio?.median ?? ours / baseline);
}

/** Whether the goal is reached; null when there is none. */
export function isReached(figure: Figure): boolean | null {
  if (figure.goal === null) return null;
  const measured = isOfRatio(figure) ? (ratioOf(figure) ?? Number.NaN) : figure.ours;
  return figure.goal.bound === "at most" ? measured <= figure.goal.value : measured >= figure.goal.value;
}

/** Whether the goal is one of the ratio. */
export function isOfRatio({ goal, baseline }: Figure): boolean {
  return baseline !== null && goal?.of !== "ours";
}
