/** Events from runners into one object, until all of them are durable and seen. */
import type { Figure, Row } from "../row.ts";
import { compared, takeTurns } from "../support/interleave.ts";
import { bareSide, type LiveSide, ourSide } from "../support/live-sides.ts";

/** The object that takes each event by itself gets what takes it about as long. */
const CASES = [
  { sessions: 1, events: 6_000, oneByOne: 1_500 },
  { sessions: 50, events: 150, oneByOne: 30 },
] as const;

export const ingest: Row = {
  id: "ingest",
  title: "events into one object, each session watched by one viewer",
  baseline: "a bare object that gathers as ours does; and one that inserts and broadcasts each event as it comes",
  measure: async (rounds) => {
    const figures: Figure[] = [];
    for (const { sessions, events, oneByOne } of CASES) {
      await using ours = await ourSide(sessions);
      await using batched = await bareSide(sessions, "live-batched");
      await using plain = await bareSide(sessions, "live");
      for (const side of [ours, batched, plain]) await side.watch(1, "end");
      const rates = await takeTurns(rounds, {
        ours: () => rate(ours, events, sessions),
        batched: () => rate(batched, events, sessions),
        plain: () => rate(plain, oneByOne, sessions),
      });
      const what = `${sessions} session${sessions === 1 ? "" : "s"}`;
      const beside = (baseline: number[]) => compared({ ours: rates.ours, baseline }, (perSecond) => perSecond);
      figures.push(
        { what, unit: "/s", ...beside(rates.batched), goal: { bound: "at least", value: 0.5 } },
        { what: `${what}, one event to a message there`, unit: "/s", ...beside(rates.plain), goal: null },
      );
    }
    return figures;
  },
};

/** Events each second that are durable and have been seen. */
async function rate(side: LiveSide, events: number, sessions: number): Promise<number> {
  const { startedAt, endedAt, seen } = await side.push({ events, perSecond: null, kind: "mixed" });
  return (events * sessions) / ((Math.max(endedAt, seen.at) - startedAt) / 1_000);
}
