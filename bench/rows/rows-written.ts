/** Rows that a turn of the agent writes, in the objects and in D1: what storage is paid for. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { admissionSchema } from "#protocol/occurrence.ts";
import type { Figure, Row } from "../row.ts";
import { Helper } from "../support/helper.ts";
import { ask, makeRoutine } from "../support/reveille.ts";
import type { Runner } from "../support/runner.ts";
import { type Served, serveCounting } from "../support/served.ts";

const PACES = [
  { what: "over 4 s", spreadMs: 4_000 },
  { what: "as fast as it comes", spreadMs: 0 },
] as const;
/** What is owed to D1 and to the pool goes out at once; this is ample. */
const SETTLE_MS = 1_000;

const countsSchema = z.record(z.string(), z.number());
type Counts = z.infer<typeof countsSchema>;

export const rowsWritten: Row = {
  id: "rows-written",
  title: "rows written for a turn of 400 SDK messages, 380 of them deltas",
  baseline: "none",
  measure: async () => {
    await using served = await serveCounting();
    await using runner = new Helper<Runner>("runner.ts");
    await runner.ask("join", { url: served.url, token: served.runnerToken });
    const { id } = await makeRoutine(served);
    const figures: Figure[] = [];
    let around: Counts = {};
    for (const { what, spreadMs } of PACES) {
      const before = await countRows(served);
      await ask(served, "POST", `/api/v1/routines/${id}/run`, admissionSchema);
      await runner.ask("working", { runs: 1 });
      const running = await countRows(served);
      await runner.ask("turn", { spreadMs });
      const told = await countRows(served);
      await runner.ask("finish");
      const ended = await countRows(served);
      const turn = difference(told, running);
      figures.push({ what: `the turn, ${what}`, ...rows(total(turn)), goal: { bound: "at most", value: 16 } });
      for (const [table, count] of Object.entries(turn))
        figures.push({ what: `  ${table}`, ...rows(count), goal: null });
      around = difference(difference(ended, before), turn);
    }
    figures.push({ what: "the run around it", ...rows(total(around)), goal: null });
    for (const [table, count] of Object.entries(around))
      figures.push({ what: `  ${table}`, ...rows(count), goal: null });
    return figures;
  },
};

async function countRows(served: Served): Promise<Counts> {
  await delay(SETTLE_MS);
  return ask(served, "GET", "/bench/rows", countsSchema);
}

function difference(after: Counts, before: Counts): Counts {
  const changes = Object.entries(after).map(([table, count]) => [table, count - (before[table] ?? 0)] as const);
  return Object.fromEntries(
    changes.filter(([, count]) => count > 0).sort(([one], [other]) => one.localeCompare(other)),
  );
}

function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function rows(ours: number) {
  return { unit: "rows", ours, baseline: null } as const;
}
