/** Runner pools: who serves, and what waits for a runner and why. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

/** The pool that is always there. */
export const DEFAULT_POOL = "default";
/** How many pools an instance may have beside it. */
export const POOL_LIMIT = 100;

export const poolNameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "must be 1 to 40 lower-case letters, digits and dashes")
  .meta({ id: "PoolName" });

/** Which pool's runners work on a routine: `default`, or `pool:` with the pool's name. */
export const runsOnSchema = z
  .string()
  .regex(
    /^(?:default|pool:[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)$/,
    'must be "default" or "pool:" with the name of a pool, for example "pool:gpu"',
  )
  .meta({ id: "RunsOn", description: "The pool whose runners work on the routine: `default`, or `pool:` and a name." });
export type RunsOn = z.infer<typeof runsOnSchema>;

/** The name of the pool that a routine's `runs_on` means. */
export function poolOf(runsOn: RunsOn): string {
  return runsOn.replace(/^pool:/, "");
}

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
export const waitReasons = [
  "no_runner",
  "version_too_old",
  "runners_too_old",
  "all_draining",
  "all_busy",
  "no_room",
  "containers_silent",
  "pool_silent",
] as const;
export type WaitReason = (typeof waitReasons)[number];

const whySchema = z
  .object({ reason: z.enum(waitReasons), message: z.string(), hint: z.string() })
  .meta({ id: "PoolWaits", description: "Why runs wait, and what to do." });
export type PoolWaits = z.infer<typeof whySchema>;

const warmSettingSchema = z.strictObject({
  containers: z.int().min(0).max(1_000).meta({ description: "How many containers are kept ready; 0 for none." }),
  hours_per_month: z.number().min(0).max(1_000_000).meta({
    description: "So many hours of waiting containers are paid for in a month (UTC); none is kept ready after that.",
  }),
});
export type WarmSetting = z.infer<typeof warmSettingSchema>;

const warmSchema = warmSettingSchema
  .extend({
    ready: z.int().min(0).meta({ description: "How many wait for a run now." }),
    hours_used: z.number().min(0).meta({ description: "What this month's have waited until now." }),
    why: nullable(z.string()).meta({ description: "Why there are fewer than are wanted." }),
    updated_at: nullable(timestampSchema).meta({ description: "When it was set last; null if it never was." }),
    updated_by: nullable(actorSchema),
  })
  .meta({ id: "PoolWarm", description: "Containers that are started before there is a run for them." });
export type PoolWarm = z.infer<typeof warmSchema>;

function figure(description: string) {
  return nullable(z.int().min(0)).meta({ description: `${description} Null while the pool does not answer.` });
}

export const poolSchema = z
  .object({
    name: poolNameSchema,
    kind: z.enum(["container", "runners"]).meta({
      description: "container: the instance's own containers, and whatever runners come beside them.",
    }),
    capacity: figure("How many runs it can work on at once as it is now."),
    busy: figure("How many of those it has in hand."),
    runners: z.array(poolRunnerSchema),
    waiting: figure("Runs that were let in by their routines, and that no runner has yet."),
    waiting_since: nullable(timestampSchema),
    why: nullable(whySchema),
    warm: nullable(warmSchema).meta({ description: "Null in a pool without containers." }),
    created_at: nullable(timestampSchema).meta({ description: "Null for the pool `default`, which is always there." }),
    created_by: nullable(actorSchema),
    token: nullable(
      z.object({
        created_at: timestampSchema,
        created_by: actorSchema,
        previous_token_until: nullable(timestampSchema),
      }),
    ).meta({
      description:
        "The token in force, and until when the one before it is accepted too. Null after it was revoked, and of `default`, which takes RUNNER_TOKEN.",
    }),
  })
  .meta({ id: "Pool" });
export type Pool = z.infer<typeof poolSchema>;
/** What the pool itself knows of that. */
export type PoolStatus = Pick<Pool, "runners" | "waiting_since" | "why" | "warm"> &
  Record<"capacity" | "busy" | "waiting", number>;

export const poolChangeSchema = z.strictObject({ warm: warmSettingSchema }).meta({ id: "PoolChange" });

export const poolInputSchema = z.strictObject({ name: poolNameSchema }).meta({ id: "PoolInput" });

/** A new token of a pool: shown this once. */
export const poolTokenSchema = z
  .object({ token: z.string(), previous_token_until: nullable(timestampSchema) })
  .meta({ id: "PoolToken" });
export const newPoolSchema = z.object({ pool: poolSchema, token: z.string() }).meta({ id: "NewPool" });
