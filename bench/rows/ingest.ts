/** Events from runners into one object, until all of them are durable and seen. */
import type { Figure, Row } from "../row.ts";
import { interleave } from "../support/interleave.ts";
import { bareSide, type LiveSide, ourSide } from "../support/live-sides.ts";
import { median } from "../support/statistics.ts";

const ROUNDS = 3;
const CASES = [
  { sessions: 1, events: 6_000 },
  { sessions: 50, events: 150 },
] as const;

export const ingest: Row = {
  id: "ingest",
  title: "events into one object, each session watched by one viewer",
  baseline: "a bare object that inserts and broadcasts each event as it comes",
  measure: async () => {
    const figures: Figure[] = [];
    for (const { sessions, events } of CASES) {
      await using ours = await ourSide(sessions);
      await using bare = await bareSide(sessions);
      await ours.watch(1, "end");
      await bare.watch(1, "end");
      const total = sessions * events;
      const rates = await interleave(
        ROUNDS,
        () => rate(ours, events, total),
        () => rate(bare, events, total),
      );
      figures.push({
        what: `${sessions} session${sessions === 1 ? "" : "s"}`,
        unit: "/s",
        ours: median(rates.ours),
        baseline: median(rates.baseline),
        goal: { bound: "at least", value: 3 },
      });
    }
    return figures;
  },
};

/** Durable events each second. The bare object does not acknowledge: there, being seen is the sign of being durable. */
async function rate(side: LiveSide, events: number, total: number): Promise<number> {
  const { startedAt, endedAt, seen } = await side.push({ events, perSecond: null, kind: "mixed" });
  return total / ((Math.max(endedAt, seen.at) - startedAt) / 1_000);
}
