/** Pure: figures of two checkouts, side by side, and what became better or worse. */
import { digits, layOut, type MeasuredRow, quantity } from "./report.ts";
import type { Figure } from "./row.ts";
import { type Spread, spreadOf } from "./support/statistics.ts";

/** Figures whose medians differ by less are the same. */
const TOLERANCE = 0.05;

export type Verdict = "better" | "same" | "worse";

export interface Comparison {
  what: string;
  unit: Figure["unit"];
  /** Of all rounds. */
  before: Spread;
  after: Spread;
  /** From the medians, as a share of `before`: 0.1 is a tenth more. Infinite where there was nothing before. */
  change: number;
  verdict: Verdict;
  /** Whether the two ranges have values in common, so that the machine's own unrest may be what differs. */
  isOverlapping: boolean;
}

export interface ComparedRow {
  id: string;
  figures: Comparison[];
  onlyBefore: string[];
  onlyAfter: string[];
}

type Figures = MeasuredRow["figures"];

/** @param before and @param after have the row's figures for each round. */
export function compareRow(id: string, before: readonly Figures[], after: readonly Figures[]): ComparedRow {
  const [was, is] = [byName(before), byName(after)];
  const onlyIn = (one: typeof was, other: typeof was) => [...one.keys()].filter((what) => !other.has(what));
  return {
    id,
    figures: [...is].flatMap(([what, now]) => {
      const then = was.get(what);
      return then === undefined ? [] : [compareFigure(what, then, now)];
    }),
    onlyBefore: onlyIn(was, is),
    onlyAfter: onlyIn(is, was),
  };
}

export function isAnyWorse(rows: readonly ComparedRow[]): boolean {
  return rows.some(({ figures }) => figures.some(({ verdict }) => verdict === "worse"));
}

const HEAD = ["row", "figure", "before", "min..max", "after", "min..max", "change", "verdict"];
const RIGHT = [false, false, true, true, true, true, true, false];

export function comparisonTable(rows: readonly ComparedRow[]): string {
  const cells = rows.flatMap(({ id, figures }) => figures.map((figure, index) => line(index === 0 ? id : "", figure)));
  const notes = rows.flatMap(({ id, onlyBefore, onlyAfter }) => [
    ...onlyBefore.map((what) => `${id}: "${what}" is only in the other checkout.`),
    ...onlyAfter.map((what) => `${id}: "${what}" is only in this checkout.`),
  ]);
  return [layOut(HEAD, RIGHT, cells), ...(notes.length > 0 ? ["", ...notes] : [])].join("\n");
}

/** All values of each figure. What is indented and has no goal tells how a figure is made up, and is no figure itself. */
function byName(rounds: readonly Figures[]): Map<string, Figure[]> {
  const figures = rounds.flat().filter(({ what, goal }) => goal !== null || !what.startsWith(" "));
  return Map.groupBy(figures, ({ what }) => what.trim());
}

function compareFigure(what: string, was: readonly Figure[], is: readonly Figure[]): Comparison {
  const [before, after] = [oursOf(was), oursOf(is)];
  const change = changeOf(before.median, after.median);
  const isMoreBetter = is.some(({ unit, goal }) => unit === "/s" || goal?.bound === "at least");
  const gain = isMoreBetter ? change : -change;
  return {
    what,
    unit: is[0]?.unit ?? "×",
    before,
    after,
    change,
    verdict: gain > TOLERANCE ? "better" : gain < -TOLERANCE ? "worse" : "same",
    isOverlapping: before.min <= after.max && after.min <= before.max,
  };
}

function oursOf(figures: readonly Figure[]): Spread {
  return spreadOf(figures.map(({ ours }) => ours));
}

function changeOf(before: number, after: number): number {
  return before === after ? 0 : (after - before) / Math.abs(before);
}

function line(id: string, { what, unit, before, after, change, verdict, isOverlapping }: Comparison): string[] {
  const range = ({ min, max }: Spread) => `${digits(min)}..${digits(max)}`;
  const percent = `${change > 0 ? "+" : ""}${(change * 100).toFixed(1)} %`;
  return [
    id,
    what,
    quantity(before.median, unit),
    range(before),
    quantity(after.median, unit),
    range(after),
    percent,
    verdict !== "same" && isOverlapping ? `${verdict} (ranges overlap)` : verdict,
  ];
}
