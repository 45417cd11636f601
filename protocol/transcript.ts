/** The transcript: what happened in a session, numbered from 1 without a gap. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { artifactEventFields } from "./artifact.ts";
import { commentFields } from "./github-deed.ts";
import { occurrenceIdSchema, runIdSchema, sessionIdSchema, triggerIdSchema } from "./ids.ts";
import { triggerTypeSchema } from "./occurrence.ts";
import { pullRequestFields } from "./pull-request.ts";
import { answerSchema, questionIdSchema, shownQuestionSchema } from "./question.ts";
import {
  cancelReasonSchema,
  evidenceMissingSchema,
  evidenceSchema,
  runResultSchema,
  sandboxKinds,
  usageSchema,
} from "./run.ts";
import { runErrorSchema, runPhaseSchema } from "./run-errors.ts";
import { runStatuses } from "./run-states.ts";
import { jsonSchema, nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";
import { waitingFor } from "./waiting.ts";
import { beginningOf } from "./well-formed.ts";

/** An event is at most this long as JSON, in bytes of UTF-8; longer text is cut, and the event says so. */
export const EVENT_LIMIT_BYTES = 262_144;

/** Set on an event whose text was cut: `bytes` is the whole length of the text in UTF-8. */
const cut = { truncated: z.literal(true).optional(), bytes: z.int().optional() };

/** Names an event that a run's agent got as a message. */
const eventRefSchema = z.object({
  type: triggerTypeSchema,
  id: nullable(triggerIdSchema),
  occurrence_id: occurrenceIdSchema,
});

/** Events that the run's own life writes; the object writes these, the runner can't. */
const lifeEvents = [
  z.object({ type: z.literal("run.queued"), attempt: z.int(), summary: z.string() }),
  z.object({ type: z.literal("run.starting"), attempt: z.int() }),
  z.object({
    type: z.literal("run.running"),
    attempt: z.int(),
    sandbox: z.enum(sandboxKinds),
    model: z.string(),
  }),
  z.object({
    type: z.literal("user.message"),
    source: z.enum(["routine", "trigger", "context", "person"]).meta({
      description:
        "The saved prompt, text that came with the trigger, what is told of earlier runs, or a person's message.",
    }),
    by: actorSchema.optional().meta({ description: "Of a person's message: whose it is." }),
    trigger: eventRefSchema
      .optional()
      .meta({ description: "Of an event that a run got while it was on: by which trigger it came." }),
    message_id: z.string().optional().meta({ description: "Of a person's message: the id under which it was sent." }),
    undelivered: z.literal(true).optional().meta({
      description:
        "Of a person's message: the run ended before its agent got it. It can be sent again, under another id.",
    }),
    text: z.string(),
    ...cut,
  }),
  z.object({
    type: z.literal("run.waiting"),
    for: z.enum(waitingFor),
    until: nullable(timestampSchema).meta({
      description: "When it waits no longer; null where it waits without an end.",
    }),
    reason: z.string().optional().meta({ description: "Which budget is spent, where it waits for one." }),
    question: shownQuestionSchema.optional().meta({ description: "What people are asked." }),
  }),
  z.object({ type: z.literal("question.answered"), question_id: questionIdSchema, answer: answerSchema }),
  /** What it waited for has come. */
  z.object({ type: z.literal("run.continued"), after: z.enum(waitingFor) }),
  /** The turn's tools have stopped, and so has everything that they had started. */
  z.object({ type: z.literal("run.interrupted"), by: actorSchema }),
  z.object({ type: z.literal("artifact"), ...artifactEventFields }),
  z.object({ type: z.literal("run.cancel_requested"), reason: cancelReasonSchema }),
  z.object({
    type: z.literal("git.push"),
    repository: z.string(),
    branch: z.string(),
    commit: z.string(),
    previous: z.string().nullable(),
  }),
  /** The instance has opened or changed it, as a person or the run's agent has asked. A person's may come after its run's end. */
  z.object({
    type: z.literal("pull_request"),
    ...pullRequestFields,
    by: actorSchema.optional().meta({ description: "The person who asked; left out where the run's agent did." }),
    change: z.literal("updated").optional().meta({ description: "Left out where it was opened." }),
  }),
  /** The instance has said it at GitHub, as the run's agent has asked. */
  z.object({ type: z.literal("comment"), ...commentFields }),
  z.object({
    type: z.literal("run.finished"),
    status: z.enum(runStatuses),
    result: runResultSchema,
    evidence_missing: evidenceMissingSchema,
    summary: z.string().nullable(),
    error: nullable(runErrorSchema),
    cancel_reason: nullable(cancelReasonSchema),
    evidence: evidenceSchema,
    usage: usageSchema,
    ...cut,
  }),
] as const;

const noticeEvent = z.object({
  type: z.literal("notice"),
  level: z.enum(["info", "warning"]),
  code: z.string().meta({ description: "A stable code, for instance demo_model or no_sandbox." }),
  message: z.string(),
  ...cut,
});

const stepEvent = z.object({
  type: z.literal("run.step"),
  phase: runPhaseSchema,
  message: z.string(),
  cache: z.enum(["hit", "miss", "none"]).optional().meta({
    description:
      "Of the environment's setup script: whether a result that was kept is used. `none`: its result is not kept.",
  }),
  ...cut,
});

/** Calls of several subagents come side by side. */
const parentField = z.string().max(200).optional().meta({
  description:
    "The tool_call_id of the call that started the subagent whose call this is; left out for the agent's own.",
});

/** Events that a runner may send. */
const runnerEvents = [
  stepEvent,
  noticeEvent,
  z.object({ type: z.literal("agent.message"), message_id: z.string().max(200), text: z.string(), ...cut }),
  z.object({ type: z.literal("agent.thinking"), message_id: z.string().max(200), text: z.string(), ...cut }),
  z.object({
    type: z.literal("tool.call"),
    tool_call_id: z.string().max(200),
    name: z.string().max(500),
    parent: parentField,
    /** The tool's input; a text with its beginning when it was too long. */
    input: jsonSchema,
    ...cut,
  }),
  z.object({
    type: z.literal("tool.result"),
    tool_call_id: z.string().max(200),
    parent: parentField,
    is_error: z.boolean(),
    text: z.string(),
    ...cut,
  }),
  z.object({ type: z.literal("usage"), usage: usageSchema }),
  z.object({
    type: z.literal("setup.output"),
    text: z.string().meta({ description: "What the environment's setup script wrote, to both of its outputs." }),
    left_out_bytes: z.int().min(1).optional().meta({
      description: "So much of its output lies between the event before and this one, and is not kept.",
    }),
    ...cut,
  }),
] as const;

export const runnerEventSchema = z.discriminatedUnion("type", runnerEvents);
export type RunnerEvent = z.infer<typeof runnerEventSchema>;

export const eventBodySchema = z.discriminatedUnion("type", [...lifeEvents, ...runnerEvents]);
export type EventBody = z.infer<typeof eventBodySchema>;

const envelope = { seq: z.int().min(1), at: timestampSchema, session_id: sessionIdSchema, run_id: runIdSchema };
export const transcriptEventSchema = z
  .intersection(z.object(envelope), eventBodySchema)
  .meta({ id: "TranscriptEvent", description: "A durable event: stored, numbered, sent once." });
export type TranscriptEvent = z.infer<typeof transcriptEventSchema>;

/** How long a piece is at most, in UTF-16 code units. */
export const DELTA_LIMIT = 65_536;
/** A piece of text as the model writes it: live only, never stored, superseded by the message that follows. */
export const deltaSchema = z
  .object({
    type: z.literal("agent.delta"),
    message_id: z.string().max(200),
    kind: z.enum(["text", "thinking"]),
    text: z.string().max(DELTA_LIMIT),
  })
  .meta({ id: "AgentDelta" });
export type Delta = z.infer<typeof deltaSchema>;

const encoder = new TextEncoder();

/** The length of a text in bytes of UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** Room for what the envelope and the marks of a cut add around the text. */
const ENVELOPE_BYTES = 2_048;

/**
 * Brings an event under `EVENT_LIMIT_BYTES` by cutting its text, or its tool input turned into text.
 * Idempotent: an event that fits is returned as it is.
 */
export function fitEvent<Body extends EventBody>(body: Body): Body {
  const excess = byteLength(JSON.stringify(body)) - (EVENT_LIMIT_BYTES - ENVELOPE_BYTES);
  if (excess <= 0 || ("truncated" in body && body.truncated && excess <= ENVELOPE_BYTES / 2)) return body;
  const shorten = (text: string) => cutToJsonBytes(text, byteLength(JSON.stringify(text)) - excess);
  if ("text" in body) return { ...body, text: shorten(body.text), truncated: true, bytes: byteLength(body.text) };
  if (body.type === "tool.call") {
    const text = JSON.stringify(body.input);
    return {
      ...body,
      input: cutToJsonBytes(text, byteLength(text) - excess),
      truncated: true,
      bytes: byteLength(text),
    };
  }
  if ("message" in body) {
    return { ...body, message: shorten(body.message), truncated: true, bytes: byteLength(body.message) };
  }
  if ("summary" in body && typeof body.summary === "string" && byteLength(JSON.stringify(body.summary)) > excess) {
    return { ...body, summary: shorten(body.summary) };
  }
  return fitParts(body);
}

/** What an event's texts are cut to, each in turn until it fits: it is long by many parts, and no one of them is to blame. */
const PART_LENGTHS = [8_192, 2_048, 512, 128, 64];
/** Then by how many entries a list may have. */
const LIST_LENGTHS = [1_000, 100, 20];

function fitParts<Body extends EventBody>(body: Body): Body {
  const bytes = byteLength(JSON.stringify(body));
  const marks = { truncated: true, bytes };
  const bounds = [
    ...PART_LENGTHS.map((text) => ({ text, items: Number.POSITIVE_INFINITY })),
    ...LIST_LENGTHS.map((items) => ({ text: 64, items })),
  ];
  let fitted = body;
  for (const bound of bounds) {
    fitted = { ...(cutParts(body, bound) as Body), ...marks };
    if (byteLength(JSON.stringify(fitted)) <= EVENT_LIMIT_BYTES - ENVELOPE_BYTES) break;
  }
  return fitted;
}

function cutParts(value: unknown, bound: { text: number; items: number }): unknown {
  if (typeof value === "string") return value.length <= bound.text ? value : `${beginningOf(value, bound.text - 1)}…`;
  if (Array.isArray(value)) return value.slice(0, bound.items).map((item) => cutParts(item, bound));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutParts(item, bound)]));
}

/** The longest beginning of a text that takes at most `limit` bytes as a JSON string, not splitting a character. */
export function cutToJsonBytes(text: string, limit: number): string {
  const fits = (end: number) => byteLength(JSON.stringify(beginningOf(text, end))) <= limit;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return beginningOf(text, low);
}
