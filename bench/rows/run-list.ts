/** A page of a routine's runs: whether it costs more where there are thousands. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { ownerKeyOf } from "#protocol/ids.ts";
import { admissionSchema } from "#protocol/occurrence.ts";
import { listedRunSchema } from "#protocol/run.ts";
import type { Figure, Row } from "../row.ts";
import { Helper } from "../support/helper.ts";
import { compared, interleave } from "../support/interleave.ts";
import type { Load } from "../support/load.ts";
import { ask, type BenchRoutine, makeRoutine } from "../support/reveille.ts";
import type { Runner } from "../support/runner.ts";
import { type Served, serveCounting } from "../support/served.ts";

const FEW = 10;
const MANY = 10_000;
const REQUESTS = 40;
const POLL_MS = 100;

const LISTS = [
  { what: "of its object", path: (id: string) => `/api/v1/routines/${id}/runs?limit=${FEW}` },
  { what: "of all routines' list, by routine", path: (id: string) => `/api/v1/runs?routine=${id}&limit=${FEW}` },
] as const;

const pageSchema = z.object({ data: z.array(listedRunSchema) });

export const runList: Row = {
  id: "run-list",
  title: `a page of ${FEW} runs of a routine that has ${MANY.toLocaleString("en-US")}`,
  baseline: `the same page of a routine that has ${FEW}`,
  measure: async (rounds) => {
    await using served = await serveCounting();
    await using load = new Helper<Load>("load.ts");
    await using runner = new Helper<Runner>("runner.ts");
    await runner.ask("join", { url: served.url, token: served.runnerToken });
    const few = await withRuns(served, runner);
    const many = await withRuns(served, runner);
    const [newest = ""] = await settledRuns(served, many);
    const owner = ownerKeyOf(newest) ?? "";
    await ask(served, "POST", `/bench/runs?run=${newest}&owner=${owner}&count=${MANY}`, z.object({}));
    const figures: Figure[] = [];
    for (const { what, path } of LISTS) {
      const times = await interleave(
        rounds,
        () => p50(load, served, path(many.id)),
        () => p50(load, served, path(few.id)),
      );
      const bothMs = compared(times, (ms) => ms);
      figures.push({ what, unit: "ms", ...bothMs, goal: { bound: "at most", value: 1.25 } });
    }
    return figures;
  },
};

/** A routine with a few runs that have ended. */
async function withRuns(served: Served, runner: Helper<Runner>): Promise<BenchRoutine> {
  const routine = await makeRoutine(served, { max_concurrent: FEW });
  for (let count = 0; count < FEW; count += 1)
    await ask(served, "POST", `/api/v1/routines/${routine.id}/run`, admissionSchema);
  await runner.ask("working", { runs: FEW });
  await runner.ask("finish");
  await settledRuns(served, routine);
  return routine;
}

/** @returns their ids, newest first, when the index has them as they ended. */
async function settledRuns(served: Served, { id }: BenchRoutine): Promise<string[]> {
  for (;;) {
    const { data } = await ask(served, "GET", `/api/v1/runs?routine=${id}&status=succeeded`, pageSchema);
    if (data.length === FEW) return data.map((run) => run.id);
    await delay(POLL_MS);
  }
}

async function p50(load: Helper<Load>, served: Served, path: string): Promise<number> {
  const headers = { authorization: `Bearer ${served.ownerToken}` };
  const request = { method: "GET" as const, path, headers, body: null };
  const { p50Ms, statuses } = await load.ask("run", {
    url: served.url,
    requests: [request],
    connections: 1,
    count: REQUESTS,
    durationMs: 30_000,
  });
  if (statuses["200"] !== REQUESTS) throw new Error(`${path}: ${JSON.stringify(statuses)}`);
  return p50Ms;
}
