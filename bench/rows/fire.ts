/** From the fire to its 200, beside the least that a durable fire can be. */
import type { Figure, Row } from "../row.ts";
import { Helper } from "../support/helper.ts";
import { compared, takeTurns } from "../support/interleave.ts";
import type { Load, LoadOrder, LoadReport } from "../support/load.ts";
import { makeRoutine } from "../support/reveille.ts";
import { idle, type Served, serveBare, serveReveille } from "../support/served.ts";

/** In all rounds together no routine gets so many that its queue of 1,000 is full. */
const FIRES_OF_A_ROUTINE = 900;
const CASES = [
  { connections: 1, count: 300 },
  { connections: 32, count: 1_000 },
] as const;
const LONGEST_MS = 15_000;
const UNLIMITED = { FIRE_RATE_PER_MINUTE: "1000000", FIRE_BURST: "1000000", INSTANCE_RATE_PER_MINUTE: "1000000" };
const TEXT = "Something happened that a routine is to look at. ".repeat(4);

interface Measured extends LoadReport {
  /** Of workerd, for each fire, with all that follows from it. */
  cpuMs: number;
}

/**
 * Nobody works on the runs of its fifteen or so routines: five of each routine ask the pool for a runner, the others wait in their queues. What follows
 * from a fire, the write into D1 and the pool's lease, is made meanwhile and competes with the next fire.
 */
export const fire: Row = {
  id: "fire",
  title: "from the fire to its 200",
  baseline: "a bare worker calls an object, which inserts one row; and one that writes the rows that ours writes",
  measure: async (rounds) => {
    await using served = await serveReveille(UNLIMITED);
    await using bare = await serveBare("fire");
    await using recorded = await serveBare("fire-recorded");
    await using load = new Helper<Load>("load.ts");
    const requests = await fires(served, rounds);
    const figures: Figure[] = [];
    for (const { connections, count } of CASES) {
      const order = { connections, count, durationMs: LONGEST_MS };
      const sides = await takeTurns(rounds, {
        ours: () => measure(served, load, { ...order, url: served.url, requests }),
        bare: () => measure(bare, load, { ...order, url: bare.url, requests: [request("/", {})] }),
        recorded: () =>
          measure(recorded, load, {
            ...order,
            url: recorded.url,
            requests: requests.map((_, object) => request(`/${object}`, {})),
          }),
      });
      const of = (pick: (measured: Measured) => number) => compared({ ours: sides.ours, baseline: sides.bare }, pick);
      const ofRecorded = (pick: (measured: Measured) => number) =>
        compared({ ours: sides.ours, baseline: sides.recorded }, pick);
      const name = `${connections} connection${connections === 1 ? "" : "s"}`;
      figures.push(
        { what: `${name}, p50`, unit: "ms", ...of(({ p50Ms }) => p50Ms), goal: { bound: "at most", value: 1.8 } },
        { what: `${name}, p99`, unit: "ms", ...of(({ p99Ms }) => p99Ms), goal: null },
        { what: name, unit: "/s", ...of(({ perSecond }) => perSecond), goal: { bound: "at least", value: 0.55 } },
        { what: `${name}, processor time of a fire`, unit: "ms", ...of(({ cpuMs }) => cpuMs), goal: null },
        { what: `${name}, p50, the same rows there`, unit: "ms", ...ofRecorded(({ p50Ms }) => p50Ms), goal: null },
        { what: `${name}, the same rows there`, unit: "/s", ...ofRecorded(({ perSecond }) => perSecond), goal: null },
      );
    }
    return figures;
  },
};

async function fires(served: Served, rounds: number): Promise<LoadOrder["requests"]> {
  const requests: LoadOrder["requests"] = [];
  const total = (rounds + 1) * CASES.reduce((sum, { count }) => sum + count, 0);
  for (let made = 0; made * FIRES_OF_A_ROUTINE < total; made += 1) {
    const { id, fireToken } = await makeRoutine(served);
    requests.push(request(`/v1/claude_code/routines/${id}/fire`, { authorization: `Bearer ${fireToken}` }));
  }
  return requests;
}

function request(path: string, headers: Record<string, string>): LoadOrder["requests"][number] {
  const body = JSON.stringify({ text: TEXT });
  return { method: "POST", path, headers: { ...headers, "content-type": "application/json" }, body };
}

/** @throws Error when an answer is not a 200: it would be measured for what it is not. */
async function measure(side: Served, load: Helper<Load>, order: LoadOrder): Promise<Measured> {
  const cpuBefore = side.workerdCpuMs();
  const report = await load.ask("run", order);
  await idle(side);
  const cpuMs = (side.workerdCpuMs() - cpuBefore) / report.count;
  if (report.statuses[200] === report.count) return { ...report, cpuMs };
  throw new Error(`not every fire was admitted: ${JSON.stringify(report.statuses)}`);
}
