/** What a source told, in one shape: what triggers are matched against. */
import { z } from "zod";
import { atMost } from "./characters.ts";
import { deliveryIdSchema, routineIdSchema, runIdSchema } from "./ids.ts";
import { checkoutSchema } from "./occurrence.ts";
import { jsonSchema, nullable } from "./schema.ts";
import { webhookSources } from "./webhook-sources.ts";

export const eventSources = ["github", ...webhookSources, "event", "routine"] as const;
export const eventSourceSchema = z.enum(eventSources).meta({ id: "EventSource" });
export type EventSource = z.infer<typeof eventSourceSchema>;

/** How many runs may follow from one another. */
export const CHAIN_LIMIT = 8;
/** What the agent gets of an event, in characters. */
export const CONTEXT_LIMIT = 16_384;

/** What a listener reads out of a request. */
export const sourceReadingSchema = z.object({
  /** As the source calls it, for instance `pull_request`, `issue.created`. */
  name: z.string().check(atMost(200)),
  action: nullable(z.string().check(atMost(200))),
  /** One line for people. */
  summary: z.string().check(atMost(200)),
  /** The source's own id of what happened; null when it gives none: then the body is the key. */
  dedupe_key: nullable(z.string().max(255)),
  /** What filters see by dotted paths. */
  payload: jsonSchema,
  /** What filters see by name; before paths. */
  fields: z.record(z.string(), jsonSchema),
  /** The fields that matter, for the agent: untrusted, at most `CONTEXT_LIMIT` characters. */
  context: z.string(),
});
export type SourceReading = z.infer<typeof sourceReadingSchema>;

/** The run that caused an event. */
export const causeSchema = z.object({ routine_id: routineIdSchema, run_id: runIdSchema, depth: z.int().min(0) });
export type Cause = z.infer<typeof causeSchema>;

export const githubFactsSchema = z.object({
  repository: nullable(
    z.object({
      id: z.int(),
      full_name: z.string(),
      is_private: z.boolean(),
      /** Names that it had before and nobody else has now, in lower case. */
      former_names: z.array(z.string()).optional(),
    }),
  ),
  /** Who did it, and whether the repository knows them; `association` as GitHub gives it, null where it gives none. */
  actor: nullable(z.object({ login: z.string(), association: nullable(z.string()) })),
  /** Of a stranger: someone of whom the repository knows nothing did or wrote this. */
  is_stranger: z.boolean(),
  checkout: nullable(checkoutSchema.omit({ repository: true })),
  /** By which a push of one of our own runs is known as what caused it, the surest first. */
  push_marks: z.array(z.string()),
});
export type GithubFacts = z.infer<typeof githubFactsSchema>;

export const sourceEventSchema = sourceReadingSchema.extend({
  source: eventSourceSchema,
  delivery_id: nullable(deliveryIdSchema),
  /**
   * The id under which routines take the event: given again, for instance after a crash, it is answered with the same
   * decision.
   */
  event_id: z.string().max(100),
  /** Of a webhook endpoint: its trigger alone is meant. */
  trigger_id: nullable(z.string()),
  /** Tells this event from every other of the same source: never null. */
  dedupe_key: z.string().max(300),
  /** A second key that means the same event; null where the first is enough. */
  content_key: nullable(z.string().max(300)),
  /** Whether the source says the same only once: what has that second key is a repeat for 24 hours, else for five minutes. */
  content_once: z.boolean().optional(),
  github: nullable(githubFactsSchema),
  caused_by: nullable(causeSchema),
});
export type SourceEvent = z.infer<typeof sourceEventSchema>;
