/** One session, watched by many: how much reaches them, and how late. */
import type { Figure, Row } from "../row.ts";
import { interleave } from "../support/interleave.ts";
import { bareSide, type LiveSide, ourSide } from "../support/live-sides.ts";
import { median } from "../support/statistics.ts";
import type { SeenReport } from "../support/viewers.ts";

const ROUNDS = 3;
/** Each side gets what takes it about a second: the bare one delivers a tenth of ours to many. */
const CASES = [
  { viewers: 1, ourEvents: 8_000, bareEvents: 2_000 },
  { viewers: 100, ourEvents: 2_000, bareEvents: 200 },
  { viewers: 500, ourEvents: 600, bareEvents: 40 },
] as const;
/** The pace of a busy agent, for how late events come. */
const STEADY = { perSecond: 200, events: 600 } as const;
/** For how many viewers the lag has a goal. */
const LAG_GOAL = { viewers: 100, p99Ms: 250 } as const;

export const fanOut: Row = {
  id: "fan-out",
  title: "one session to 1, 100 and 500 viewers",
  baseline: "a bare object that inserts and broadcasts each event as it comes",
  measure: async () => {
    const figures: Figure[] = [];
    for (const { viewers, ourEvents, bareEvents } of CASES) {
      await using ours = await ourSide(1);
      await using bare = await bareSide(1);
      await ours.watch(viewers, "end");
      await bare.watch(viewers, "end");
      const rates = await interleave(
        ROUNDS,
        () => deliveries(ours, ourEvents, viewers),
        () => deliveries(bare, bareEvents, viewers),
      );
      const whom = `${viewers} viewer${viewers === 1 ? "" : "s"}`;
      figures.push({
        what: `${whom}, deliveries`,
        unit: "/s",
        ours: median(rates.ours),
        baseline: median(rates.baseline),
        goal: { bound: "at least", value: 2 },
      });
      const lags = { ours: await lag(ours), bare: await lag(bare) };
      const what = `${whom}, lag at ${STEADY.perSecond} events/s`;
      const bound = { bound: "at most", value: LAG_GOAL.p99Ms, of: "ours" } as const;
      figures.push(
        { what: `${what}, p50`, unit: "ms", ours: lags.ours.p50Ms, baseline: lags.bare.p50Ms, goal: null },
        {
          what: `${what}, p99`,
          unit: "ms",
          ours: lags.ours.p99Ms,
          baseline: lags.bare.p99Ms,
          goal: viewers === LAG_GOAL.viewers ? bound : null,
        },
      );
    }
    return figures;
  },
};

/** Events that reach viewers each second, when they are written as fast as they are taken. */
async function deliveries(side: LiveSide, events: number, viewers: number): Promise<number> {
  const { startedAt, seen } = await side.push({ events, perSecond: null, kind: "mixed" });
  return (events * viewers) / ((seen.at - startedAt) / 1_000);
}

async function lag(side: LiveSide): Promise<NonNullable<SeenReport["lag"]>> {
  const { seen } = await side.push({ ...STEADY, kind: "stamped" });
  if (seen.lag === null) throw new Error("no event told when it was sent");
  return seen.lag;
}
