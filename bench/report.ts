/** Pure: what has been measured, as a table for people and as JSON. */
import { type Figure, isOfRatio, isReached, ratioOf } from "./row.ts";

export interface MeasuredRow {
  id: string;
  title: string;
  baseline: string;
  figures: Figure[];
  seconds: number;
}

/** The machine and the moment: what a figure means nothing without. */
export interface Facts {
  at: string;
  cpus: number;
  cpu: string;
  memory_mib: number;
  platform: string;
  node: string;
  /** What the programs that have served say of themselves: one version, unless the bench is at fault. */
  workerd: string[];
  commit: string | null;
}

const HEAD = ["row", "figure", "ours", "baseline", "ratio", "min..max", "goal", "reached"];
const RIGHT = [false, false, true, true, true, true, true, false];

export function asTable({ node, workerd, cpus, cpu }: Facts, rows: readonly MeasuredRow[]): string {
  const cells = rows.flatMap(({ id, figures }) => figures.map((figure, index) => line(index === 0 ? id : "", figure)));
  const served = workerd.length === 0 ? "no workerd" : workerd.join(" and ");
  return `${layOut(HEAD, RIGHT, cells)}\n\n${served}, Node ${node}, ${cpus} × ${cpu}`;
}

/** Columns as wide as their longest cell. @param isRight for each column whether its cells end at the same place. */
export function layOut(head: readonly string[], isRight: readonly boolean[], cells: readonly string[][]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((row) => row[column]?.length ?? 0)));
  const show = (row: readonly string[]) =>
    row
      .map((cell, column) => (isRight[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [head, widths.map((width) => "-".repeat(width)), ...cells].map(show).join("\n");
}

export function asJson(facts: Facts, rows: readonly MeasuredRow[]): string {
  const told = rows.map((row) => ({
    ...row,
    figures: row.figures.map((figure) => ({
      ...figure,
      ratio: ratioOf(figure),
      ratio_range: figure.ratio === undefined ? null : [figure.ratio.min, figure.ratio.max],
      reached: isReached(figure),
    })),
  }));
  return `${JSON.stringify({ ...facts, rows: told }, null, 2)}\n`;
}

function line(id: string, figure: Figure): string[] {
  const { what, unit, ours, baseline, goal } = figure;
  const ratio = ratioOf(figure);
  const reached = isReached(figure);
  return [
    id,
    what,
    quantity(ours, unit),
    baseline === null ? "—" : quantity(baseline, unit),
    ratio === null ? "—" : `${digits(ratio)} ×`,
    figure.ratio === undefined ? "—" : `${digits(figure.ratio.min)}..${digits(figure.ratio.max)}`,
    goal === null ? "—" : `${goal.bound === "at most" ? "≤" : "≥"} ${goalText(figure)}`,
    reached === null ? "—" : reached ? "yes" : "NO",
  ];
}

function goalText(figure: Figure): string {
  const { goal, unit } = figure;
  if (goal === null) return "";
  return isOfRatio(figure) ? `${goal.value} ×` : quantity(goal.value, unit);
}

export function quantity(value: number, unit: Figure["unit"]): string {
  return unit === "/s" ? `${digits(value)}/s` : `${digits(value)} ${unit}`;
}

/** Three digits that count, at least. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
