/** A viewer that comes back to a long session: from dialling until it has everything. */
import type { Figure, Row } from "../row.ts";
import { interleave } from "../support/interleave.ts";
import { bareSide, type LiveSide, ourSide } from "../support/live-sides.ts";
import { median } from "../support/statistics.ts";

const EVENTS = 20_000;
const CASES = [
  { viewers: 1, rounds: 5, goal: { bound: "at least", value: 0.5 } },
  { viewers: 20, rounds: 1, goal: null },
] as const;

export const reconnect: Row = {
  id: "reconnect",
  title: "20,000 events from the beginning",
  baseline: "one loop that reads the rows and sends them in envelopes",
  measure: async () => {
    await using ours = await ourSide(1);
    await using bare = await bareSide(1);
    await Promise.all([ours, bare].map((side) => side.push({ events: EVENTS, perSecond: null, kind: "mixed" })));
    const figures: Figure[] = [];
    for (const { viewers, rounds, goal } of CASES) {
      const times = await interleave(
        rounds,
        () => catchUp(ours, viewers),
        () => catchUp(bare, viewers),
      );
      const whom = viewers === 1 ? "1 viewer" : `${viewers} viewers at once`;
      const [oursMs, bareMs] = [median(times.ours), median(times.baseline)];
      const rate = (ms: number) => (EVENTS * viewers) / (ms / 1_000);
      figures.push({ what: `${whom}, events`, unit: "/s", ours: rate(oursMs), baseline: rate(bareMs), goal });
      figures.push({ what: `${whom}, until caught up`, unit: "ms", ours: oursMs, baseline: bareMs, goal: null });
    }
    return figures;
  },
};

/** @returns how long it took until all had everything, in milliseconds. */
async function catchUp(side: LiveSide, viewers: number): Promise<number> {
  const { totalMs } = await side.watch(viewers, "start");
  await side.unwatch();
  return totalMs;
}
