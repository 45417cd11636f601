/** A viewer that comes back to a long session: from dialling until it has everything. */
import type { Figure, Row } from "../row.ts";
import { compared, type Sides, takeTurns } from "../support/interleave.ts";
import { bareSide, type LiveSide, ourSide } from "../support/live-sides.ts";

const EVENTS = 20_000;
const VIEWERS = [1, 20] as const;
const GOAL = { bound: "at least", value: 0.6 } as const;

export const reconnect: Row = {
  id: "reconnect",
  title: "20,000 events from the beginning",
  baseline:
    "one loop that reads the rows and sends them, of a bare object that gathers as ours does; and of a plain one",
  measure: async (rounds) => {
    await using ours = await ourSide(1);
    await using batched = await bareSide(1, "live-batched");
    await using plain = await bareSide(1, "live");
    for (const side of [ours, batched, plain]) await side.push({ events: EVENTS, perSecond: null, kind: "mixed" });
    const figures: Figure[] = [];
    for (const viewers of VIEWERS) {
      const both = { ours: () => catchUp(ours, viewers), batched: () => catchUp(batched, viewers) };
      const times = await takeTurns(rounds, both);
      const whom = viewers === 1 ? "1 viewer" : `${viewers} viewers at once`;
      figures.push(...besides(whom, viewers, { ours: times.ours, baseline: times.batched }, GOAL));
    }
    const times = await takeTurns(rounds, { ours: () => catchUp(ours, 1), baseline: () => catchUp(plain, 1) });
    figures.push(...besides("1 viewer, a row for each event there", 1, times, null));
    return figures;
  },
};

function besides(whom: string, viewers: number, times: Sides<number>, goal: Figure["goal"]): Figure[] {
  const perSecond = compared(times, (ms) => (EVENTS * viewers) / (ms / 1_000));
  return [
    { what: `${whom}, events`, unit: "/s", ...perSecond, goal },
    { what: `${whom}, until caught up`, unit: "ms", ...compared(times, (ms) => ms), goal: null },
  ];
}

/** @returns how long it took until all had everything, in milliseconds. */
async function catchUp(side: LiveSide, viewers: number): Promise<number> {
  const { totalMs } = await side.watch(viewers, "start");
  await side.unwatch();
  return totalMs;
}
