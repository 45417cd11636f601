/** Two sides measured in turn, so that whatever else the machine does meets both. */
import { median, type Spread, spreadOf } from "./statistics.ts";

export interface Sides<Value> {
  ours: Value[];
  baseline: Value[];
}

/** Measures each side `rounds` times, after rounds that only warm up. Who begins changes with each round. */
export async function interleave<Value>(
  rounds: number,
  ours: () => Promise<Value>,
  baseline: () => Promise<Value>,
  warmUps = 1,
): Promise<Sides<Value>> {
  const sides: Sides<Value> = { ours: [], baseline: [] };
  for (let round = 0; round < warmUps + rounds; round += 1) {
    const order = round % 2 === 0 ? (["ours", "baseline"] as const) : (["baseline", "ours"] as const);
    for (const side of order) {
      const value = await (side === "ours" ? ours() : baseline());
      if (round >= warmUps) sides[side].push(value);
    }
  }
  return sides;
}

/** The same for any number of sides. Who begins changes with each round. */
export async function takeTurns<Side extends string, Value>(
  rounds: number,
  sides: Record<Side, () => Promise<Value>>,
): Promise<Record<Side, Value[]>> {
  const names = Object.keys(sides) as Side[];
  const values = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Side, Value[]>;
  for (let round = 0; round <= rounds; round += 1) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const value = await sides[name]();
      if (round > 0) values[name].push(value);
    }
  }
  return values;
}

/** What a figure says of both sides: their medians, and the ratio of each round's two. @param pick the number of what a round gave. */
export function compared<Value>(sides: Sides<Value>, pick: (value: Value) => number) {
  const ours = sides.ours.map(pick);
  const baseline = sides.baseline.map(pick);
  const ratio: Spread = spreadOf(ours.map((value, round) => value / (baseline[round] ?? Number.NaN)));
  return { ours: median(ours), baseline: median(baseline), ratio };
}
