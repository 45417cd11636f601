/** A run by status: what can't be true at once can't be written. */

import { z } from "zod";
import { connectorUseSchema } from "./connector.ts";
import { seenCommentSchema } from "./github-deed.ts";
import { hostUsesSchema } from "./host-use.ts";
import {
  environmentIdSchema,
  occurrenceIdSchema,
  routineIdSchema,
  runIdSchema,
  sessionIdSchema,
  triggerIdSchema,
} from "./ids.ts";
import { broughtBy, retryOf, triggerTypeSchema, wokenBy } from "./occurrence.ts";
import { poolNameSchema } from "./pool.ts";
import { seenPullRequestSchema } from "./pull-request.ts";
import { runErrorSchema } from "./run-errors.ts";
import { RUN_STATES, runStatuses, type SettledStatus } from "./run-states.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";
import { usageSchema } from "./usage.ts";
import { reviewSchema, verdictSchema } from "./verdict.ts";
import { waitingSchema } from "./waiting.ts";

export {
  type ContainerUse,
  NO_USAGE,
  type Tokens,
  tokensSchema,
  type Usage,
  usageSchema,
} from "./usage.ts";

/**
 * What the proxies and the runner saw. `model_calls`, `branches_pushed`, `commits_pushed`, `pull_requests` and `comments` are the worker's own
 * count; the rest comes by way of programs in the sandbox.
 */
export const evidenceSchema = z
  .object({
    model_calls: z.int().min(0),
    turns: z.int().min(0),
    tool_calls: z.int().min(0),
    tools_refused: z.int().min(0).optional().meta({
      description: "Tool calls that a rule or a hook of the repository refused; left out when there were none.",
    }),
    files_changed: z.int().min(0).meta({
      description:
        "Files that differ from the commit that the agent began with by what the run itself did: in commits of its own, pushed or not, and in the workspace. What is ignored, and what colleagues changed, does not count.",
    }),
    commits_pushed: z.int().min(0).meta({
      description: "Commits that the run's pushes brought to their repositories, and that these had not before.",
    }),
    branches_pushed: z.array(
      z.object({ repository: z.string(), branch: z.string(), commit: z.string(), previous: z.string().nullable() }),
    ),
    files_shown: z.int().min(1).optional().meta({
      description: "Files that the run has shown people; left out when there are none.",
    }),
    pull_requests: z.array(seenPullRequestSchema).min(1).optional().meta({
      description:
        "Pull requests that the instance has opened from branches that the run pushed; left out when there are none.",
    }),
    comments: z.array(seenCommentSchema).min(1).optional().meta({
      description:
        "Comments, reviews and issues that the run's agent wrote at GitHub, the latest hundred; left out when there are none.",
    }),
    connectors: z.array(connectorUseSchema).min(1).optional().meta({
      description: "Connectors whose tools the run called; left out when there were none.",
    }),
    hosts: hostUsesSchema.optional().meta({
      description:
        "Hosts that the run asked for, with requests and bytes; left out where there were none, in lists, and in the transcript.",
    }),
  })
  .meta({ id: "Evidence" });
export type Evidence = z.infer<typeof evidenceSchema>;

export const NO_EVIDENCE: Evidence = {
  model_calls: 0,
  turns: 0,
  tool_calls: 0,
  files_changed: 0,
  commits_pushed: 0,
  branches_pushed: [],
};

export const runResultSchema = z
  .enum(["done", "nothing_to_do", "blocked", "unknown"])
  .meta({ id: "RunResult", description: "Whether the task was done, as the agent reported it." });
export type RunResult = z.infer<typeof runResultSchema>;

/** In what a run's commands work; `none` is the machine itself. */
export const sandboxKinds = ["sandbox-runtime", "container", "none"] as const;
export type SandboxKind = (typeof sandboxKinds)[number];

export const cancelReasonSchema = z.enum(["by_user", "superseded", "routine_deleted"]).meta({ id: "CancelReason" });
export type CancelReason = z.infer<typeof cancelReasonSchema>;

/** `local`: a program on some machine, as `npm start` runs one; `container`: the instance's own containers. */
export const runnerKinds = ["local", "container"] as const;
export type RunnerKind = (typeof runnerKinds)[number];

export const runnerRefSchema = z
  .object({ kind: z.enum(runnerKinds), id: z.string() })
  .meta({ id: "RunnerRef", description: "The runner that holds the run's lease." });
export type RunnerRef = z.infer<typeof runnerRefSchema>;

const timingsSchema = z.object({
  queued_at: timestampSchema,
  starting_at: nullable(timestampSchema),
  running_at: nullable(timestampSchema),
  first_event_at: nullable(timestampSchema).meta({ description: "When the agent's first own event came." }),
  finished_at: nullable(timestampSchema),
});

const admittedRoutine = z
  .object({ name: z.string(), revision: z.int().min(1), model: z.string() })
  .meta({ description: "The routine as it was when this run was admitted." });

const gotEnvironment = z.object({ id: environmentIdSchema, name: z.string(), revision: z.int().min(0) }).meta({
  id: "RunEnvironment",
  description: "The environment that an attempt got, as it was when the attempt began.",
});

const common = {
  id: runIdSchema,
  routine_id: routineIdSchema,
  session_id: sessionIdSchema,
  routine: admittedRoutine,
  trigger: z.object({
    type: triggerTypeSchema,
    id: nullable(triggerIdSchema),
    occurrence_id: occurrenceIdSchema,
    summary: z.string(),
    occurrence_ids: z
      .array(occurrenceIdSchema)
      .optional()
      .meta({ description: "Of a run that several events wait for: their occurrences, the newest 1,000 at most." }),
    depth: z.int().min(0).optional().meta({ description: "How many runs led here one after the other." }),
    woken_by: wokenBy,
    delivery_id: broughtBy,
  }),
  retry_of: retryOf,
  pool: poolNameSchema.meta({ description: "The pool whose runners work on it: the routine's when it was admitted." }),
  attempt: z.int().min(1),
  environment: nullable(gotEnvironment).optional().meta({
    description: "Of the latest attempt; null while it is looked up, and left out before the first one begins.",
  }),
  demo_model: z.boolean().meta({ description: "True when the offline demo model answers instead of a real one." }),
  usage: usageSchema,
  evidence: evidenceSchema,
  cancel_requested_at: nullable(timestampSchema),
};

const active = {
  result: z.null(),
  summary: z.null(),
  error: z.null(),
  cancel_reason: nullable(cancelReasonSchema).meta({ description: "Set when canceling was asked for." }),
};
export const evidenceMissingSchema = z.literal(true).optional().meta({
  description:
    "The agent reported `done`, and nothing was seen of it: no changed file, commit, branch, shown file, or change by a connector. Left out otherwise.",
});
const settled = {
  result: runResultSchema,
  evidence_missing: evidenceMissingSchema,
  summary: z.string().nullable(),
  verdict: verdictSchema.optional().meta({ description: "A person's; left out while nobody has given one." }),
  reviews: z.array(reviewSchema).min(1).optional().meta({
    description: "Verdicts of runs that this run has woken, the latest one of each; left out while there are none.",
  }),
  session_deleted: z.literal(true).optional().meta({
    description: "Its session was deleted: what it was given and what its agent said is gone. Left out otherwise.",
  }),
};
const finished = timingsSchema.extend({ finished_at: timestampSchema });

const queuedRun = z.object({
  ...common,
  ...active,
  status: z.literal("queued"),
  runner: z.null(),
  timings: timingsSchema.extend({ starting_at: z.null(), running_at: z.null(), finished_at: z.null() }),
});
const startingRun = z.object({
  ...common,
  ...active,
  status: z.literal("starting"),
  runner: nullable(runnerRefSchema),
  timings: timingsSchema.extend({ starting_at: timestampSchema, running_at: z.null(), finished_at: z.null() }),
});
const runningRun = z.object({
  ...common,
  ...active,
  status: z.literal("running"),
  runner: runnerRefSchema,
  timings: timingsSchema.extend({ starting_at: timestampSchema, running_at: timestampSchema, finished_at: z.null() }),
});
/** Holds no place, and has a runner only while its sandbox is kept for it. */
const waitingRun = z.object({
  ...common,
  ...active,
  status: z.literal("waiting"),
  waiting: waitingSchema,
  runner: nullable(runnerRefSchema),
  timings: timingsSchema.extend({ starting_at: timestampSchema, running_at: timestampSchema, finished_at: z.null() }),
});
const settledCommon = { ...common, ...settled, runner: nullable(runnerRefSchema), timings: finished };
const succeededRun = z.object({
  ...settledCommon,
  status: z.literal("succeeded"),
  error: z.null(),
  cancel_reason: z.null(),
});
const failedRun = z.object({
  ...settledCommon,
  status: z.literal("failed"),
  error: runErrorSchema,
  cancel_reason: z.null(),
});
const timedOutRun = z.object({
  ...settledCommon,
  status: z.literal("timed_out"),
  error: runErrorSchema,
  cancel_reason: z.null(),
});
const canceledRun = z.object({
  ...settledCommon,
  status: z.literal("canceled"),
  error: z.null(),
  cancel_reason: cancelReasonSchema,
  cancel_requested_at: timestampSchema,
});

/** A run as lists show it: without the routine's prompt, which may be long and is the same in many. */
export const listedRunSchema = z
  .discriminatedUnion("status", [
    queuedRun,
    startingRun,
    runningRun,
    waitingRun,
    succeededRun,
    failedRun,
    timedOutRun,
    canceledRun,
  ])
  .meta({ id: "ListedRun" });
export type ListedRun = z.infer<typeof listedRunSchema>;

/** The newest run of a routine, in little. */
export const lastRunSchema = z
  .object({
    id: runIdSchema,
    routine_id: routineIdSchema,
    session_id: sessionIdSchema,
    status: z.enum(runStatuses),
    result: nullable(runResultSchema),
    summary: z.string().nullable(),
    error: nullable(runErrorSchema).meta({ description: "Why it failed or timed out; null of every other run." }),
    timings: timingsSchema,
  })
  .meta({ id: "LastRun", description: "The newest run of a routine, as the index has it." });
export type LastRun = z.infer<typeof lastRunSchema>;

const whole = {
  routine: admittedRoutine.extend({ prompt: z.string() }).meta({
    description: "The routine as it was when this run was admitted. Lists leave the prompt out.",
  }),
};
/** A run as the API shows it by itself. */
export const runSchema = z
  .discriminatedUnion("status", [
    queuedRun.extend(whole),
    startingRun.extend(whole),
    runningRun.extend(whole),
    waitingRun.extend(whole),
    succeededRun.extend(whole),
    failedRun.extend(whole),
    timedOutRun.extend(whole),
    canceledRun.extend(whole),
  ])
  .meta({ id: "Run" });
export type Run = z.infer<typeof runSchema>;
export type RunStatus = Run["status"];
/** Each state of the table has its form above: else this does not compile. */
export const statusesOfRuns = runStatuses satisfies readonly RunStatus[];

export function isSettled<Any extends ListedRun>(run: Any): run is Extract<Any, { status: SettledStatus }> {
  return RUN_STATES[run.status].isSettled;
}
