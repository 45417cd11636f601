/** One session, watched by many: how much reaches them, and how late. */
import type { Figure, Row } from "../row.ts";
import { compared, interleave, takeTurns } from "../support/interleave.ts";
import { bareSide, type LiveSide, ourSide } from "../support/live-sides.ts";
import type { Lag } from "../support/viewers.ts";

/** Each side gets what takes it about as long: the one that sends each event by itself delivers a tenth of ours to many. */
const CASES = [
  { viewers: 1, events: 6_000, oneByOne: 1_500, goal: 0.5 },
  { viewers: 100, events: 2_000, oneByOne: 200, goal: 0.8 },
  { viewers: 500, events: 600, oneByOne: 40, goal: 0.9 },
] as const;
/** The pace of a busy agent, for how late events come. */
const BUSY = { perSecond: 200, events: 200, kind: "stamped" } as const;
/** For how many viewers that has a goal. */
const BUSY_GOAL = { viewers: 100, p99Ms: 250 } as const;
/** The pace of an agent that uses tools, and of a model's words as they come. */
const AGENT = { perSecond: 10, events: 20, kind: "stamped" } as const;
const TEXT = { perSecond: 40, events: 60, kind: "text" } as const;
const AGENT_GOAL = { bound: "at most", value: 3 } as const;

export const fanOut: Row = {
  id: "fan-out",
  title: "one session to 1, 100 and 500 viewers",
  baseline:
    "deliveries: a bare object that gathers as ours does; all else: one that inserts and broadcasts each as it comes",
  measure: async (rounds) => {
    const figures: Figure[] = [];
    for (const { viewers, events, oneByOne, goal } of CASES) {
      await using ours = await ourSide(1);
      await using batched = await bareSide(1, "live-batched");
      await using plain = await bareSide(1, "live");
      for (const side of [ours, batched, plain]) await side.watch(viewers, "end");
      const rates = await takeTurns(rounds, {
        ours: () => deliveries(ours, events, viewers),
        batched: () => deliveries(batched, events, viewers),
        plain: () => deliveries(plain, oneByOne, viewers),
      });
      const whom = `${viewers} viewer${viewers === 1 ? "" : "s"}`;
      const beside = (baseline: number[]) => compared({ ours: rates.ours, baseline }, (perSecond) => perSecond);
      const what = `${whom}, deliveries`;
      figures.push(
        { what, unit: "/s", ...beside(rates.batched), goal: { bound: "at least", value: goal } },
        { what: `${what}, one event to a message there`, unit: "/s", ...beside(rates.plain), goal: null },
      );
      const isBusyGoal = viewers === BUSY_GOAL.viewers;
      const busyGoal = isBusyGoal ? ({ bound: "at most", value: BUSY_GOAL.p99Ms, of: "ours" } as const) : null;
      const both = { ours, plain, rounds };
      figures.push(...(await lags(`${whom}, lag at 200 events/s`, both, BUSY, { p50: null, p99: busyGoal })));
      if (viewers > 1) continue;
      figures.push(...(await lags(`${whom}, lag at 10 events/s`, both, AGENT, { p50: AGENT_GOAL, p99: null })));
      figures.push(...(await lags(`${whom}, lag of live text`, both, TEXT, { p50: null, p99: null })));
    }
    return figures;
  },
};

/** Events that reach viewers each second, when they are written as fast as they are taken. */
async function deliveries(side: LiveSide, events: number, viewers: number): Promise<number> {
  const { startedAt, seen } = await side.push({ events, perSecond: null, kind: "mixed" });
  return (events * viewers) / ((seen.at - startedAt) / 1_000);
}

async function lags(
  what: string,
  { ours, plain, rounds }: { ours: LiveSide; plain: LiveSide; rounds: number },
  order: typeof BUSY | typeof AGENT | typeof TEXT,
  goals: { p50: Figure["goal"]; p99: Figure["goal"] },
): Promise<Figure[]> {
  const found = await interleave(
    rounds,
    () => lag(ours, order),
    () => lag(plain, order),
  );
  return [
    { what: `${what}, p50`, unit: "ms", ...compared(found, ({ p50Ms }) => p50Ms), goal: goals.p50 },
    { what: `${what}, p99`, unit: "ms", ...compared(found, ({ p99Ms }) => p99Ms), goal: goals.p99 },
  ];
}

async function lag(side: LiveSide, order: Parameters<LiveSide["push"]>[0]): Promise<Lag> {
  const { seen } = await side.push(order);
  if (seen.lag === null) throw new Error("no event told when it was sent");
  return seen.lag;
}
