/** How runs went in a stretch of time: how many, how they ended, how long they took, what they cost. */
import { z } from "zod";
import { runResultSchema } from "./run.ts";
import { runStatuses } from "./run-states.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

/** Over more days than these no figures are asked for. */
export const STATS_DAYS = { default: 30, max: 366 } as const;
/** So many runs are looked at: the newest. */
export const STATS_RUNS = 5_000;

const count = z.int().min(0);
const dollars = z.number().min(0).meta({ description: "US dollars, at the prices that this version knows." });
const quantiles = nullable(z.object({ p50: z.int().min(0), p95: z.int().min(0) }));

export const statsSchema = z
  .object({
    from: timestampSchema,
    to: timestampSchema,
    complete_from: timestampSchema.meta({
      description: `From here on every run is counted: \`from\`, or later where there are more than ${STATS_RUNS} runs.`,
    }),
    runs: count,
    by_status: z.record(z.enum(runStatuses), count),
    by_result: z.record(runResultSchema, count).meta({ description: "Of runs that have ended." }),
    error_rate: z.number().min(0).max(1).nullable().meta({
      description: "The part of runs that failed or timed out, of those that ended and were not canceled.",
    }),
    duration_ms: quantiles.meta({ description: "From the runner's start to the end, of runs that have ended." }),
    waited_ms: quantiles.meta({ description: "From admission to the runner's start." }),
    cost_usd: dollars,
    days: z
      .array(
        z.object({ day: z.string(), runs: count, succeeded: count, failed: count, canceled: count, cost_usd: dollars }),
      )
      .meta({ description: "Each day in UTC, oldest first; `failed` counts those that timed out too." }),
  })
  .meta({ id: "Stats" });
export type Stats = z.infer<typeof statsSchema>;
