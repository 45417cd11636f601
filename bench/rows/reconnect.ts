/** A viewer that comes back to a long session: from dialling until it has everything. */
import type { Figure, Row } from "../row.ts";
import { takeTurns } from "../support/interleave.ts";
import { bareSide, type LiveSide, ourSide } from "../support/live-sides.ts";
import { median } from "../support/statistics.ts";

const ROUNDS = 9;
const EVENTS = 20_000;
const VIEWERS = [1, 20] as const;

export const reconnect: Row = {
  id: "reconnect",
  title: "20,000 events from the beginning",
  baseline:
    "one loop that reads the rows and sends them, of a bare object that gathers as ours does; and of a plain one",
  measure: async () => {
    await using ours = await ourSide(1);
    await using batched = await bareSide(1, "live-batched");
    await using plain = await bareSide(1, "live");
    for (const side of [ours, batched, plain]) await side.push({ events: EVENTS, perSecond: null, kind: "mixed" });
    const figures: Figure[] = [];
    for (const viewers of VIEWERS) {
      const both = { ours: () => catchUp(ours, viewers), batched: () => catchUp(batched, viewers) };
      const times = await takeTurns(ROUNDS, both);
      const whom = viewers === 1 ? "1 viewer" : `${viewers} viewers at once`;
      const rate = (all: number[]) => (EVENTS * viewers) / (median(all) / 1_000);
      const figure = { what: `${whom}, events`, unit: "/s", ours: rate(times.ours) } as const;
      const until = { what: `${whom}, until caught up`, unit: "ms", ours: median(times.ours) } as const;
      figures.push(
        { ...figure, baseline: rate(times.batched), goal: { bound: "at least", value: 0.6 } },
        { ...until, baseline: median(times.batched), goal: null },
      );
    }
    const times = await takeTurns(ROUNDS, { ours: () => catchUp(ours, 1), plain: () => catchUp(plain, 1) });
    const rate = (all: number[]) => EVENTS / (median(all) / 1_000);
    const figure = { what: "1 viewer, events, a row for each there", unit: "/s", ours: rate(times.ours) } as const;
    figures.push({ ...figure, baseline: rate(times.plain), goal: null });
    return figures;
  },
};

/** @returns how long it took until all had everything, in milliseconds. */
async function catchUp(side: LiveSide, viewers: number): Promise<number> {
  const { totalMs } = await side.watch(viewers, "start");
  await side.unwatch();
  return totalMs;
}
