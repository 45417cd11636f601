/** Runner pools: who serves, and what waits for a runner and why. */
import { z } from "zod";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

/** The pool that is always there. */
export const DEFAULT_POOL = "default";
export const runnerStates = ["idle", "busy", "draining", "lost", "refused"] as const;
export type RunnerState = (typeof runnerStates)[number];

export const poolRunnerSchema = z
  .object({
    id: z.string(),
    version: nullable(z.string()).meta({ description: "Null where the runner does not tell it." }),
    capacity: z.int().min(0).meta({ description: "How many runs it takes at once." }),
    busy: z.int().min(0).meta({ description: "How many it has in hand." }),
    last_seen_at: timestampSchema,
    state: z.enum(runnerStates).meta({
      description:
        "draining: it takes no more work, and will leave. lost: it has gone, or nothing is heard of it. refused: it came, and was not taken in.",
    }),
    reason: nullable(z.string()).meta({ description: "Why it was refused, and what to do." }),
  })
  .meta({ id: "PoolRunner" });
export type PoolRunner = z.infer<typeof poolRunnerSchema>;

/** Why runs of a pool wait. */
export const waitReasons = ["no_runner", "version_too_old", "all_draining", "all_busy"] as const;
export type WaitReason = (typeof waitReasons)[number];

const whySchema = z
  .object({ reason: z.enum(waitReasons), message: z.string(), hint: z.string() })
  .meta({ id: "PoolWaits", description: "Why runs wait, and what to do." });
export type PoolWaits = z.infer<typeof whySchema>;

/** What a pool knows of itself at this moment. */
const poolStatusSchema = z.object({
  capacity: z.int().min(0).meta({ description: "How many runs it can work on at once as it is now." }),
  busy: z.int().min(0),
  runners: z.array(poolRunnerSchema),
  waiting: z.int().min(0).meta({ description: "Runs that were let in by their routines, and that no runner has yet." }),
  waiting_since: nullable(timestampSchema),
  why: nullable(whySchema),
});
export type PoolStatus = z.infer<typeof poolStatusSchema>;
