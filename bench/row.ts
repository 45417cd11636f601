/** What a row of the table is. */

export interface Figure {
  what: string;
  unit: "ms" | "/s" | "rows" | "MiB" | "×";
  ours: number;
  baseline: number | null;
  /** What the ratio ours/baseline (or, without a baseline, ours) has to reach; null for information. */
  goal: Goal | null;
}

export interface Goal {
  bound: "at most" | "at least";
  value: number;
  /** Set where our own figure counts, though there is a baseline. */
  of?: "ours";
}

export interface Row {
  id: string;
  title: string;
  /** What it is compared with, in a few words. */
  baseline: string;
  /** What this machine lacks for it, in a few words; null when it can be measured. */
  lacks?(): string | null;
  measure(): Promise<Figure[]>;
}

/** ours/baseline; null without a baseline. */
export function ratioOf({ ours, baseline }: Figure): number | null {
  return baseline === null ? null : ours / baseline;
}

/** Whether the goal is reached; null when there is none. */
export function isReached(figure: Figure): boolean | null {
  if (figure.goal === null) return null;
  const measured = isOfRatio(figure) ? figure.ours / (figure.baseline ?? Number.NaN) : figure.ours;
  return figure.goal.bound === "at most" ? measured <= figure.goal.value : measured >= figure.goal.value;
}

/** Whether the goal is one of the ratio. */
export function isOfRatio({ goal, baseline }: Figure): boolean {
  return baseline !== null && goal?.of !== "ours";
}
