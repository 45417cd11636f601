/** A routine: what it is told, where it works, what wakes it, and its limits. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { atMost } from "./characters.ts";
import { type RoutineConnectors, routineConnectorsSchema } from "./connector.ts";
import { type ContextFrom, contextFromSchema } from "./context-from.ts";
import { DEFAULT_ENVIRONMENT, environmentNameSchema, networkAdditionsSchema, variablesSchema } from "./environment.ts";
import { gateSchema, gateStateSchema } from "./gate.ts";
import { branchRef } from "./git-refs.ts";
import { routineIdSchema } from "./ids.ts";
import { type NotificationRule, notificationRulesSchema } from "./notification.ts";
import { DEFAULT_POOL, runsOnSchema } from "./pool.ts";
import { type Repository, repositorySchema } from "./repository.ts";
import { lastRunSchema } from "./run.ts";
import { named, nullable } from "./schema.ts";
import { sessionKeySchema, sessionModeSchema } from "./session-key.ts";
import { shownRoutineFields } from "./shown-routine-keys.ts";
import { boundedDuration, timestampSchema } from "./time.ts";
import { toolPolicySchema } from "./tools.ts";
import { triggerInputSchema, triggerSchema, triggerStatusSchema } from "./triggers.ts";
import { DIRECTIONS, SEEN } from "./unseen-characters.ts";
import { warningSchema } from "./warning.ts";

/** Each default once. */
export const ROUTINE_DEFAULTS = {
  session: "new",
  overlap: "parallel",
  max_concurrent: 5,
  runs_on: DEFAULT_POOL,
  push_prefix: "claude/",
  environment: DEFAULT_ENVIRONMENT,
  variables: {} as Record<string, string>,
  network: { allow: [] as string[] },
  tools: { deny: [] as string[], ask: [] as string[] },
  connectors: [] as RoutineConnectors,
  context_from: [] as ContextFrom,
  notify: [] as NotificationRule[],
  limits: { timeout: "60m", turns: 200, hold: "5m", answer: "24h", failures: 5 },
  retry: { max: 2, backoff: "30s" },
} as const;

/** What a run may push to one repository. */
export type PushRule = Pick<Repository, "push"> & Pick<RoutineDefinition, "push_prefix">;

export const overlapSchema = z.enum(["parallel", "queue", "queue_latest", "skip", "cancel_running"]).meta({
  id: "Overlap",
  description:
    "What happens to a new occurrence while a run of the routine is on; with `session: keyed`, of the session.",
});
export type Overlap = z.infer<typeof overlapSchema>;

const limitsSchema = z.strictObject({
  timeout: boundedDuration("1s", "24h").default(ROUTINE_DEFAULTS.limits.timeout),
  turns: z.int().min(1).max(10_000).default(ROUTINE_DEFAULTS.limits.turns),
  hold: boundedDuration("1s", "1h")
    .default(ROUTINE_DEFAULTS.limits.hold)
    .meta({ description: "How long the sandbox of a run that waits for a person is kept for it." }),
  answer: boundedDuration("1m", "30d")
    .default(ROUTINE_DEFAULTS.limits.answer)
    .meta({ description: "How long people have to answer what an agent asks." }),
  budget_usd: z.number().gt(0).max(1_000_000).optional().meta({
    description: "What one run's model calls may cost, in US dollars. Over it the run waits until this is raised.",
  }),
  monthly_budget_usd: z.number().gt(0).max(1_000_000).optional().meta({
    description: "The same for all runs of the routine together, in a calendar month (UTC).",
  }),
  failures: z.int().min(0).max(1_000).default(ROUTINE_DEFAULTS.limits.failures).meta({
    description: "After so many runs in a row that failed or timed out the routine pauses itself; 0 for never.",
  }),
});

const retrySchema = z.strictObject({
  max: z.int().min(0).max(10).default(ROUTINE_DEFAULTS.retry.max),
  backoff: boundedDuration("100ms", "1h").default(ROUTINE_DEFAULTS.retry.backoff),
});

const settings = {
  name: z
    .string()
    .trim()
    .min(1)
    .check(atMost(80))
    .refine((name) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name), "must be one line without control characters")
    .refine((name) => name === "" || SEEN.test(name), "must have a character that can be seen")
    .refine(
      (name) => !DIRECTIONS.test(name),
      "must not change the direction of its text (U+202A to U+202E, U+2066 to U+2069)",
    ),
  prompt: z.string().min(1).check(atMost(200_000)),
  model: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9._:@[\]-]{0,99}$/, "must be a model's name")
    .optional(),
  repositories: z.array(repositorySchema).max(20),
  push_prefix: z
    .string()
    .min(1)
    .check(atMost(100))
    .refine((prefix) => !prefix.startsWith("refs/"), "must be the beginning of a branch's name, without refs/heads/")
    .refine((prefix) => branchRef(`${prefix}x`) !== null, "must be what a branch's name can begin with"),
  session: sessionModeSchema,
  session_key: sessionKeySchema,
  overlap: overlapSchema,
  max_concurrent: z.int().min(1).max(100),
  runs_on: runsOnSchema,
  environment: environmentNameSchema.meta({ description: "The name of the environment in which its runs work." }),
  variables: variablesSchema.meta({
    description: "Beside the environment's; where both set one of a name, this one counts.",
  }),
  network: networkAdditionsSchema.meta({ description: "Hosts beside those that the environment allows." }),
  connectors: routineConnectorsSchema.meta({
    description: "MCP servers that its runs may use, by name: all their tools, or those that `tools` leaves.",
  }),
  context_from: contextFromSchema,
  gate: gateSchema,
  tools: toolPolicySchema.meta({
    description: "Which calls of the agent's tools are let through; all of them where it says nothing.",
  }),
  notify: notificationRulesSchema.meta({ description: "Who is told of what, beside the rules for all routines." }),
  limits: limitsSchema,
  retry: retrySchema,
  tags: named(
    z.string().regex(/^[a-zA-Z0-9_.-]{1,64}$/, "must be 1 to 64 letters, digits, dots, dashes and underscores"),
    z.string().check(atMost(256)),
  ),
  triggers: z.array(triggerInputSchema).max(200),
};

/** What a person writes to create a routine. Unknown keys are refused. */
export const routineInputSchema = z
  .strictObject({
    ...settings,
    repositories: settings.repositories.default([]),
    push_prefix: settings.push_prefix.default(ROUTINE_DEFAULTS.push_prefix),
    session: settings.session.default(ROUTINE_DEFAULTS.session),
    session_key: settings.session_key.optional(),
    overlap: settings.overlap.default(ROUTINE_DEFAULTS.overlap),
    max_concurrent: settings.max_concurrent.default(ROUTINE_DEFAULTS.max_concurrent),
    runs_on: settings.runs_on.default(ROUTINE_DEFAULTS.runs_on),
    environment: settings.environment.default(ROUTINE_DEFAULTS.environment),
    variables: settings.variables.default(ROUTINE_DEFAULTS.variables),
    network: settings.network.default(ROUTINE_DEFAULTS.network),
    connectors: settings.connectors.default(ROUTINE_DEFAULTS.connectors),
    context_from: settings.context_from.default(ROUTINE_DEFAULTS.context_from),
    gate: settings.gate.optional(),
    tools: settings.tools.default(ROUTINE_DEFAULTS.tools),
    notify: settings.notify.default(ROUTINE_DEFAULTS.notify),
    limits: limitsSchema.default(() => limitsSchema.parse({})),
    retry: retrySchema.default(() => retrySchema.parse({})),
    tags: settings.tags.default({}),
    triggers: settings.triggers.default([]),
  })
  .meta({ id: "RoutineInput" });
export type RoutineInput = z.infer<typeof routineInputSchema>;

const changes = z
  .strictObject({
    ...settings,
    model: settings.model.unwrap().nullable(),
    session_key: settings.session_key.nullable(),
    gate: nullable(settings.gate),
    if_revision: z.int().min(1),
  })
  .partial();
export type RoutinePatch = z.infer<typeof changes>;

/** A change: only the keys that are given change; `limits`, `retry` and `tools` are replaced as a whole. */
export const routinePatchSchema = changes
  .extend(shownRoutineFields)
  .refine((patch) => Object.keys(patch).some((key) => key !== "if_revision"), "must change at least one key")
  .meta({ id: "RoutinePatch" });
export type RoutineSentBack = z.infer<typeof routinePatchSchema>;

/** Everything that a revision fixes. */
export const routineDefinitionSchema = z
  .object({
    // Names that an earlier version took are read as they are.
    name: z.string(),
    prompt: settings.prompt,
    model: settings.model.unwrap().nullable(),
    repositories: settings.repositories,
    push_prefix: settings.push_prefix,
    session: settings.session,
    session_key: settings.session_key.nullable(),
    overlap: overlapSchema,
    max_concurrent: settings.max_concurrent,
    runs_on: settings.runs_on,
    environment: settings.environment,
    variables: settings.variables,
    network: settings.network,
    connectors: settings.connectors,
    context_from: settings.context_from,
    gate: nullable(settings.gate),
    tools: settings.tools,
    notify: settings.notify,
    limits: limitsSchema,
    retry: retrySchema,
    tags: settings.tags,
    triggers: z.array(triggerSchema),
  })
  .meta({ id: "RoutineDefinition" });
export type RoutineDefinition = z.infer<typeof routineDefinitionSchema>;

/** A routine as the API shows it. */
export const routineSchema = routineDefinitionSchema
  .extend({
    id: routineIdSchema,
    triggers: z.array(triggerSchema.and(triggerStatusSchema)),
    revision: z.int().min(1),
    status: z.enum(["active", "paused"]),
    paused_reason: z.string().nullable(),
    paused_by: z.enum(["person", "failures"]).nullable().default(null).meta({
      description:
        "`failures`: it has paused itself, as `limits.failures` says. Null while it is active, and where an earlier version did not tell.",
    }),
    warnings: z
      .array(warningSchema)
      .default([])
      .meta({ description: "What is saved but can't be meant, or can't work yet; told until it is mended." }),
    gate_state: nullable(gateStateSchema)
      .default(null)
      .meta({ description: "Null without `gate`, and where routines are listed." }),
    has_token: z.boolean().meta({ description: "Whether a token for the fire endpoint is in force." }),
    token_may_read: z.boolean().meta({ description: "Whether that token also reads the routine's runs." }),
    created_at: timestampSchema,
    updated_at: timestampSchema.meta({
      description:
        "When its owner last changed its definition, paused or resumed it. Tokens, secrets and runs don't count.",
    }),
  })
  .meta({ id: "Routine" });
export type Routine = z.infer<typeof routineSchema>;

/** A routine in a list, with what is asked first of each. */
export const listedRoutineSchema = routineSchema
  .extend({
    last_run: nullable(lastRunSchema),
    next_fire_at: nullable(timestampSchema).meta({
      description: "When a schedule wakes it next; null without one, and while it is paused.",
    }),
  })
  .meta({ id: "ListedRoutine" });
export type ListedRoutine = z.infer<typeof listedRoutineSchema>;

/** One saved state of a definition, with who saved it and when. */
export const revisionSchema = z
  .object({
    revision: z.int().min(1),
    at: timestampSchema,
    actor: actorSchema,
    by: z.string().meta({ description: "The same as `actor.name`." }),
    definition: routineDefinitionSchema,
  })
  .meta({ id: "Revision" });
export type Revision = z.infer<typeof revisionSchema>;
