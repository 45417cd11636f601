/** What wakes a routine, as people write it and as it is kept. */
import { z } from "zod";
import { atMost } from "./characters.ts";
import { eventNameSchema, nameSchema as name } from "./event-name.ts";
import { filtersSchema } from "./filters.ts";
import { routineIdSchema, triggerIdSchema } from "./ids.ts";
import { runResultSchema } from "./run.ts";
import { settledStatuses } from "./run-states.ts";
import { nullable } from "./schema.ts";
import { boundedDuration, durationMs, timestampSchema } from "./time.ts";
import { watchFaults, watchFields, watchStateSchema } from "./watch.ts";
import { type WebhookSource, webhookSourceSchema } from "./webhook-sources.ts";

export const catchUpSchema = z.enum(["none", "latest", "all"]).meta({ id: "CatchUp" });
export type CatchUp = z.infer<typeof catchUpSchema>;

export const scheduleEvery = ["hourly", "daily", "weekdays", "weekly", "monthly"] as const;
export const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

/** Zones that exist: to try one out costs more than all else in a trigger. */
const zones = new Set<string>(["UTC"]);
const ZONES_KEPT = 1_000;

function isZone(zone: string): boolean {
  if (zones.has(zone)) return true;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
  } catch {
    return false;
  }
  if (zones.size < ZONES_KEPT) zones.add(zone);
  return true;
}

/** An IANA zone by its name; offsets such as `+02:00` are none. */
export const timezoneSchema = z
  .string()
  .max(64)
  .refine((zone) => /^[A-Za-z]/.test(zone) && isZone(zone), {
    error: 'must be an IANA time zone, for example "Europe/Paris"',
    params: { choice: "time zones", tells: "found" },
  })
  .meta({ id: "TimeZone" });

/** A dotted path into the payload, or a named field of the source. */
const pathSchema = z.string().min(1).check(atMost(200));

/** Has several events wait for one run. */
export const coalesceSchema = z
  .strictObject({
    key: pathSchema
      .optional()
      .meta({ description: "Events that agree in this field wait for one run; without it all do." }),
    window: boundedDuration("1s", "1h").meta({ description: "The run waits this long after the newest event." }),
    max_wait: boundedDuration("1s", "24h")
      .optional()
      .meta({ description: "But not longer after the first; ten windows." }),
  })
  .refine(({ window, max_wait }) => max_wait === undefined || durationMs(max_wait) >= durationMs(window), {
    path: ["max_wait"],
    error: "must not be shorter than window",
  })
  .meta({ id: "Coalesce" });
export type Coalesce = z.infer<typeof coalesceSchema>;

const kept = triggerIdSchema.optional().meta({ description: "Of a trigger that the routine has: it is kept." });
/** What a routine's triggers are shown with; sent back, it is ignored. */
const shown = {
  next_fire_times: z.unknown().optional(),
  status: z.unknown().optional(),
  endpoint: z.unknown().optional(),
  unseen_repositories: z.unknown().optional(),
  repository_ids: z.unknown().optional(),
  look: z.unknown().optional(),
};
const filtered = { filters: filtersSchema.default([]), coalesce: coalesceSchema.optional() };

const clockTime = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'must be a time of day, for example "09:07"');

const scheduleFields = {
  cron: z.string().trim().min(1).check(atMost(200)).optional(),
  every: z.enum(scheduleEvery).optional(),
  time: clockTime.optional(),
  minute: z.int().min(0).max(59).optional(),
  weekday: z.enum(weekdays).optional(),
  day: z.int().min(1).max(28).optional(),
  at: z.string().trim().min(1).max(64).optional(),
  at_written: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'Shown where `at` was written as a delay, such as "in 2 weeks"; sent back, it is ignored.' }),
  timezone: timezoneSchema.default("UTC"),
  catch_up: catchUpSchema.default("latest"),
  jitter: boundedDuration("1s", "1h").optional(),
};

/** Which preset takes which key: the rest would be read and mean nothing. */
const PRESET_KEYS: Record<"time" | "minute" | "weekday" | "day", readonly string[]> = {
  time: ["daily", "weekdays", "weekly", "monthly"],
  minute: ["hourly"],
  weekday: ["weekly"],
  day: ["monthly"],
};

export const scheduleInputSchema = z
  .strictObject({ id: kept, ...shown, type: z.literal("schedule"), ...scheduleFields })
  .superRefine((trigger, context) => {
    const given = (["cron", "every", "at"] as const).filter((key) => trigger[key] !== undefined);
    if (given.length !== 1) {
      context.addIssue({ code: "custom", message: "must have exactly one of cron, every and at" });
    }
    for (const key of Object.keys(PRESET_KEYS) as (keyof typeof PRESET_KEYS)[]) {
      if (trigger[key] === undefined || PRESET_KEYS[key].includes(trigger.every ?? "")) continue;
      const message = `goes with every: ${PRESET_KEYS[key].join(" or ")}`;
      context.addIssue({ code: "custom", path: [key], message });
    }
  });

const githubFields = {
  event: z
    .string()
    .regex(/^[a-z][a-z0-9_]{1,63}$/, 'must be the name of a GitHub event, for example "pull_request"')
    .meta({ examples: ["pull_request", "push", "issues"] }),
  actions: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
  ...filtered,
  allow_public: z.boolean().default(false),
  allow_self: z.boolean().default(false),
};

/** How a generic endpoint knows its sender. */
export const genericAuthSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("hmac"),
      header: z.string().regex(/^[A-Za-z0-9-]{1,100}$/, "must be the name of a header"),
      /** Before the digest, for instance `sha256=`. */
      prefix: z.string().max(20).default(""),
      algorithm: z.enum(["sha256", "sha512"]).default("sha256"),
      encoding: z.enum(["hex", "base64"]).default("hex"),
    }),
    z.strictObject({ kind: z.literal("bearer") }),
  ])
  .meta({ id: "GenericAuth" });
export type GenericAuth = z.infer<typeof genericAuthSchema>;

/** What Google signs into the token of a push subscription. */
export const pubsubAuthSchema = z
  .strictObject({ service_account: z.email().max(320), audience: z.string().min(1).max(500).optional() })
  .meta({ id: "PubsubAuth" });
export type PubsubAuth = z.infer<typeof pubsubAuthSchema>;

const webhookEvents = (each: typeof name) => z.array(each).min(1).max(50).optional();
const webhookFields = {
  source: webhookSourceSchema,
  /** Names of events as the source's page lists them; all when left out. */
  events: webhookEvents(name),
  /** `generic` alone; a bearer token when left out. */
  auth: genericAuthSchema.optional(),
  /** `pubsub` alone. */
  pubsub: pubsubAuthSchema.optional(),
  allow_bots: z.boolean().optional().meta({
    description:
      "`slack` alone: what other apps' bots write wakes the routine too; what the trigger's own app writes never does.",
  }),
  ...filtered,
};

function checkWebhook(
  trigger: { source: WebhookSource; auth?: unknown; pubsub?: unknown; allow_bots?: unknown },
  context: z.RefinementCtx,
): void {
  if (trigger.auth !== undefined && trigger.source !== "generic") {
    context.addIssue({ code: "custom", path: ["auth"], message: "goes with source: generic" });
  }
  if (trigger.allow_bots !== undefined && trigger.source !== "slack") {
    context.addIssue({ code: "custom", path: ["allow_bots"], message: "goes with source: slack" });
  }
  if ((trigger.pubsub !== undefined) !== (trigger.source === "pubsub")) {
    const message = trigger.source === "pubsub" ? "is required" : "goes with source: pubsub";
    context.addIssue({ code: "custom", path: ["pubsub"], message });
  }
}

/** How a routine is doing, as it changes. */
export const healthChanges = ["failing", "recovered", "quiet"] as const;
export type HealthChange = (typeof healthChanges)[number];

const routineFields = {
  /** A routine's id, or its name. */
  routine: name,
  on: z
    .array(z.enum([...settledStatuses, ...healthChanges]))
    .min(1)
    .default(["succeeded"])
    .meta({
      description:
        "Ends of its runs; or failing: its first failure after a success; recovered: its first success after that; quiet: nothing has succeeded for longer than its schedule means.",
    }),
  result: z.array(runResultSchema).min(1).optional(),
};

const eventFields = { name, ...filtered };

export const triggerInputSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ id: kept, ...shown, type: z.literal("api") }),
    scheduleInputSchema,
    z.strictObject({ id: kept, ...shown, type: z.literal("github"), ...githubFields }),
    z
      .strictObject({
        id: kept,
        ...shown,
        type: z.literal("webhook"),
        ...webhookFields,
        events: webhookEvents(eventNameSchema),
      })
      .superRefine(checkWebhook),
    z.strictObject({ id: kept, ...shown, type: z.literal("routine"), ...routineFields }),
    z.strictObject({ id: kept, ...shown, type: z.literal("event"), ...eventFields, name: eventNameSchema }),
    z.strictObject({ id: kept, ...shown, type: z.literal("watch"), ...watchFields }).superRefine((trigger, context) => {
      for (const fault of watchFaults(trigger)) context.addIssue({ code: "custom", ...fault });
    }),
  ])
  .meta({ id: "TriggerInput" });
export type TriggerInput = z.infer<typeof triggerInputSchema>;

const own = { id: triggerIdSchema };
export const scheduleTriggerSchema = z.object({ ...own, type: z.literal("schedule"), ...scheduleFields });
export const githubTriggerSchema = z.object({ ...own, type: z.literal("github"), ...githubFields });
export const webhookTriggerSchema = z.object({ ...own, type: z.literal("webhook"), ...webhookFields });
export const routineTriggerSchema = z.object({ ...own, type: z.literal("routine"), ...routineFields });
export const eventTriggerSchema = z.object({ ...own, type: z.literal("event"), ...eventFields });
const watchTriggerSchema = z.object({ ...own, type: z.literal("watch"), ...watchFields });

/** A trigger as a revision keeps it. */
export const triggerSchema = z
  .discriminatedUnion("type", [
    z.object({ ...own, type: z.literal("api") }),
    scheduleTriggerSchema,
    githubTriggerSchema,
    webhookTriggerSchema,
    routineTriggerSchema,
    eventTriggerSchema,
    watchTriggerSchema,
  ])
  .meta({ id: "Trigger", description: "One way in which the routine wakes." });
export type Trigger = z.infer<typeof triggerSchema>;
export type ScheduleTrigger = z.infer<typeof scheduleTriggerSchema>;
export type GithubTrigger = z.infer<typeof githubTriggerSchema>;
export type WebhookTrigger = z.infer<typeof webhookTriggerSchema>;
export type RoutineTrigger = z.infer<typeof routineTriggerSchema>;
export type EventTrigger = z.infer<typeof eventTriggerSchema>;
export type WatchTrigger = z.infer<typeof watchTriggerSchema>;
/** Triggers that wait for events: their filters say for which, and several events may wait for one run. */
export type FilteredTrigger = GithubTrigger | WebhookTrigger | RoutineTrigger | EventTrigger;

/** What is known of a trigger beside its definition. Defaults are for triggers that were saved by earlier versions. */
export const triggerStatusSchema = z
  .object({
    status: z.enum(["active", "ended", "unreachable"]).default("active").meta({
      description: "ended: a time that has come. unreachable: no event of GitHub's can come from the repositories.",
    }),
    next_fire_times: z
      .array(timestampSchema)
      .max(3)
      .default([])
      .meta({ description: "The next three of a schedule, at most." }),
    endpoint: nullable(
      z.object({
        url: z.string().meta({ description: "Where the source is to send to." }),
        has_secret: z.boolean(),
        previous_secret_until: nullable(timestampSchema),
        secrets_handed_over: z.int().min(1).optional().meta({
          description: "So many secrets have come to the endpoint from whomever, and wait for the owner's yes.",
        }),
      }),
    )
      .default(null)
      .meta({ description: "Of a webhook trigger." }),
    unseen_repositories: z.array(z.string()).optional().meta({
      description:
        "Of a GitHub trigger: repositories from which this event can't come: the GitHub App was not given them, or is not sent it.",
    }),
    repository_ids: z.record(z.string(), z.int()).optional().meta({
      description: "Of a GitHub trigger: GitHub's number of each repository from which something has come, by address.",
    }),
    look: watchStateSchema
      .optional()
      .meta({ description: "Of a watch, where one routine is read; lists don't have it." }),
  })
  .meta({ id: "TriggerStatus" });
export type TriggerStatus = z.infer<typeof triggerStatusSchema>;

/** Whether a text names a routine by its id; else it is a name. */
export function isRoutineId(text: string): boolean {
  return routineIdSchema.safeParse(text).success;
}
