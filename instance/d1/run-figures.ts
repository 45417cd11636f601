/** What the figures of runs are made from: a few columns of the newest runs of a stretch of time. */
import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { firstIdAt, timeOf } from "#protocol/ids.ts";
import { runResultSchema } from "#protocol/run.ts";
import { runStatuses } from "#protocol/run-states.ts";
import { STATS_RUNS, type Stats } from "#protocol/stats.ts";
import { type CountedRun, statsOf } from "#rules/run/stats.ts";
import { ofTag } from "./routine-searches.ts";
import { runs } from "./schema.ts";

/** Times are Unix milliseconds. */
export interface StatsAsked {
  routineId: string | undefined;
  tag: string | undefined;
  fromMs: number;
  toMs: number;
}

const instant = z
  .string()
  .nullable()
  .transform((text) => (text === null ? null : Date.parse(text)));
const rowsSchema = z.array(
  z.object({
    id: z.string(),
    status: z.enum(runStatuses),
    matches: z.number(),
    result: runResultSchema.nullable(),
    started: instant,
    finished: instant,
    cost: z.number().nullable(),
  }),
);

export async function readStats(binding: D1Database, { routineId, tag, fromMs, toMs }: StatsAsked): Promise<Stats> {
  const { id, status, doc } = runs;
  const where = and(
    routineId === undefined ? undefined : eq(runs.routineId, routineId),
    sql`${id} >= ${firstIdAt("run", fromMs)} AND ${id} < ${firstIdAt("run", toMs)}`,
  );
  const rows = rowsSchema.parse(
    await drizzle(binding).all(sql`SELECT ${id} AS id, ${status} AS status,
      ${tag === undefined ? sql`1` : ofTag(tag)} AS matches, ${doc} ->> '$.result' AS result,
      ${doc} ->> '$.timings.starting_at' AS started, ${doc} ->> '$.timings.finished_at' AS finished,
      ${doc} ->> '$.usage.cost_usd' AS cost
      FROM ${runs} WHERE ${where} ORDER BY ${id} DESC LIMIT ${STATS_RUNS}`),
  );
  const oldest = rows.at(-1);
  const isCut = rows.length === STATS_RUNS && oldest !== undefined;
  const counted = rows.filter(({ matches }) => matches === 1).map(toCounted);
  return statsOf(counted, { fromMs, toMs, completeFromMs: isCut ? timeOf(oldest.id) : fromMs });
}

function toCounted({ id, status, result, started, finished, cost }: z.infer<typeof rowsSchema>[number]): CountedRun {
  return { admittedMs: timeOf(id), startedMs: started, finishedMs: finished, status, result, costUsd: cost ?? 0 };
}
