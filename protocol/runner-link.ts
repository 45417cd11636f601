/**
 * What runners and the instance say to each other.
 *
 * A runner has one WebSocket to its pool (`GET /runner/pool`, with the pool's token): there it registers, is handed
 * leases, and tells when the work of a lease has stopped. Each run then has one WebSocket of its own
 * (`GET /runner/runs/{run_id}/link`, with the attempt's link token) for its frames.
 */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { attemptOutcomeSchema } from "./attempt-outcome.ts";
import { commitIdentitySchema } from "./commit.ts";
import { conversationPieceSchema, orderedConversationSchema, workspaceKeptSchema } from "./conversation.ts";
import { attemptEnvironmentSchema } from "./environment.ts";
import { hostUsesSchema } from "./host-use.ts";
import { runIdSchema, sessionIdSchema } from "./ids.ts";
import { dollarsSchema } from "./money.ts";
import { noteNameSchema } from "./note.ts";
import { checkoutSchema } from "./occurrence.ts";
import { askedQuestionSchema, givenAnswerSchema, putOffSchema } from "./question.ts";
import { clonedRepositorySchema } from "./repository.ts";
import { cancelReasonSchema, runnerRefSchema, runResultSchema, sandboxKinds } from "./run.ts";
import { nullable } from "./schema.ts";
import { NO_TOOL_POLICY, toolPolicySchema } from "./tools.ts";
import { deltaSchema, runnerEventSchema } from "./transcript.ts";
import { waitingFor } from "./waiting.ts";

/**
 * The version of these messages. A worker serves its own and the one before.
 *
 * What version 1 did not have: `kill`, `probe` and `alive`, `decline` and `draining`.
 */
export const RUNNER_PROTOCOL = 2;
export const RUNNER_PROTOCOLS_SERVED: readonly number[] = [RUNNER_PROTOCOL, RUNNER_PROTOCOL - 1];
/** A runner of an earlier version than this is refused, and told to be updated: raise it when one can't be served any more. */
export const OLDEST_RUNNER = "0.1.0";
/** A runner sends the text `ping` this often on both sockets; auto-response answers `pong`. */
export const RUNNER_PING_MS = 5_000;
/** A runner that neither pings nor reconnects for this long has lost its leases. */
export const RUNNER_GRACE_MS = 15_000;
/** A runner registers within this time after it has connected to its pool, or the connection is closed. */
export const REGISTER_DEADLINE_MS = 10_000;
/** The same for `hello` on a run's link. */
export const HELLO_DEADLINE_MS = 10_000;
/** A runner accepts an offered lease within this time, or the lease has ended. */
export const OFFER_DEADLINE_MS = 10_000;
/** In a git refusal of the proxies: its code. Git gets many of them as a success of HTTP, with an error of its own inside. */
export const REFUSAL_HEADER = "x-reveille-refusal";
/** How many frames a runner keeps unacknowledged before it stops reading from the agent. */
export const FRAME_WINDOW = 1_024;

/** A run's lease: the attempt's number is its generation, so what an older attempt says is recognised as stale. */
export const leaseRefSchema = z.object({ run_id: runIdSchema, generation: z.int().min(1) });
export type LeaseRef = z.infer<typeof leaseRefSchema>;

export function isSameLease(one: LeaseRef, other: LeaseRef): boolean {
  return one.run_id === other.run_id && one.generation === other.generation;
}

/** What a pool takes as a runner's id: it is shown to people, and stored with each run. */
export const runnerIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be 1 to 64 letters, digits, dots, dashes or underscores");
const sayingRunnerSchema = z.object({ ...runnerRefSchema.shape, id: runnerIdSchema });

/** Pool → runner. */
export const poolToRunnerSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("registered"),
    protocol: z.int(),
    /** Options that are in force on this connection; absent from a worker that knows none. */
    features: z.array(z.string()).default([]),
  }),
  z.object({
    type: z.literal("offer"),
    lease: leaseRefSchema,
    link_token: z.string(),
    proxy_token: z.string(),
  }),
  /** Stop the work of this lease now, whatever it is doing, and then say `ended`. */
  z.object({ type: z.literal("stop"), lease: leaseRefSchema }),
  /** It has not stopped: end every process of this lease's work by force, and of no other's, and then say `ended`. */
  z.object({ type: z.literal("kill"), lease: leaseRefSchema }),
  /** Say `alive` at once: another process wants to register under the same id, or something was not answered. */
  z.object({ type: z.literal("probe") }),
]);
export type PoolToRunner = z.infer<typeof poolToRunnerSchema>;

/** Runner → pool. The first message is `register`. */
export const runnerToPoolSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("register"),
    protocol: z.int().min(0).max(9_999),
    runner: sayingRunnerSchema,
    /** Changes with every start of the runner's process: leases of another boot have ended. */
    boot: z.string().min(8).max(64),
    capacity: z.int().min(1).max(100),
    /** Of the runner's program, as its package has it; absent from an earlier version's runner. */
    version: z
      .string()
      .regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}[0-9A-Za-z.+-]{0,12}$/)
      .optional(),
    /** Options that the runner knows; absent from one that knows none. */
    features: z.array(z.string().max(64)).max(64).default([]),
    /** Leases whose work this process has in hand, from before a reconnection. */
    leases: z.array(leaseRefSchema),
  }),
  z.object({ type: z.literal("accept"), lease: leaseRefSchema }),
  /** The offer is not taken, and nothing has been begun: another runner may have it. */
  z.object({ type: z.literal("decline"), lease: leaseRefSchema, why: z.enum(["full", "draining"]) }),
  /** The runner takes no more work and will leave. Said again after each registration. */
  z.object({ type: z.literal("draining") }),
  /** The answer to `probe`. */
  z.object({ type: z.literal("alive") }),
  /** Every process of this lease's work is gone. */
  z.object({ type: z.literal("ended"), lease: leaseRefSchema }),
]);
export type RunnerToPool = z.infer<typeof runnerToPoolSchema>;

/** What the runner is told to do; the answer to `hello`. */
export const runOrderSchema = z.object({
  run_id: runIdSchema,
  session_id: sessionIdSchema,
  session_url: z.url(),
  generation: z.int().min(1),
  routine_name: z.string(),
  /** The whole task for the agent: the saved prompt, and the trigger's text in its untrusted block. */
  task: z.string(),
  model: z.string(),
  /** What subagents may use beside it; absent from an earlier version's order. */
  other_models: z.array(z.string()).default([]),
  demo_model: z.boolean(),
  /** In this order; the place in the list is the repository's number in proxy paths. */
  repositories: z.array(clonedRepositorySchema),
  /** As whom it commits; absent from an earlier version's order. */
  commit: commitIdentitySchema.optional(),
  /** The commit that the run is about; null, or absent from an earlier version's order, for each branch's newest. */
  checkout: nullable(checkoutSchema).default(null),
  turns: z.int().min(1),
  /** For the whole attempt, from its start. */
  timeout_ms: z.int().min(1),
  clone_deadline_ms: z.int().min(1),
  setup_deadline_ms: z.int().min(1),
  agent_start_deadline_ms: z.int().min(1),
  /** How long work in the background alone keeps an agent that has not reported; absent from an earlier version's order. */
  background_wait_ms: z.int().min(1).default(600_000),
  /** For each hook of the repository; the runner gives it a third of `timeout_ms` at most. Absent as above. */
  hook_deadline_ms: z.int().min(1).default(600_000),
  /** Which calls of the agent's are let through; absent from an earlier version's order. Only runners with the option `tools` keep to it. */
  tools: toolPolicySchema.default(NO_TOOL_POLICY),
  /** Whether people can be asked; absent from an earlier version's order. */
  asks: z.boolean().default(false),
  /** The answer to what an earlier attempt of the run asked; null where there is none. */
  answer: nullable(givenAnswerSchema).default(null),
  /** Of a run that has waited without a sandbox, and goes on with its conversation: it is not given its task again. */
  continues: nullable(z.object({ put_off: putOffSchema })).default(null),
  /** Absent from an earlier version's order: no variables, no script, and no network beside the instance. */
  environment: attemptEnvironmentSchema.optional(),
  /** What the instance takes of a run's work beside frames: `diff`, `artifacts`. Absent from an earlier version's order. */
  takes: z.array(z.string()).default([]),
  /** The agent's MCP servers at the instance, each at the run's proxy path `mcp/NAME`. Absent as above. */
  mcp_servers: z.array(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/)).default([]),
  /** The addresses of those that are connectors, by name: to tell which servers of a repository's `.mcp.json` are there. Absent as above. */
  mcp_addresses: z.record(z.string(), z.string()).default({}),
  /** Names of the routine's notes; absent from an earlier version's order, whose instance keeps none. */
  notes: z.array(noteNameSchema).optional(),
  /** The run that has woken this one, on which its agent may give a verdict. */
  reviews: runIdSchema.optional(),
  /** Absent from an earlier version's order, which keeps no conversation. */
  conversation: orderedConversationSchema.optional(),
});
export type RunOrder = z.infer<typeof runOrderSchema>;

/** What a frame carries. Frames are numbered from 1 within an attempt, without a gap. */
export const frameBodySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("event"), event: runnerEventSchema }),
  z.object({ kind: z.literal("running"), sandbox: z.enum(sandboxKinds) }),
  /** Said only by a runner whose order has a conversation, and so is the next one. */
  z.object({ kind: z.literal("conversation"), ...conversationPieceSchema.shape }),
  z.object({ kind: z.literal("workspace"), ...workspaceKeptSchema.shape }),
  /** The agent has got this message, or this interrupt has stopped everything that it was to stop. */
  z.object({ kind: z.literal("took"), n: z.int().min(1) }),
  /** The agent does nothing until something has come. */
  z.object({
    kind: z.literal("waiting"),
    for: z.enum(waitingFor),
    /** What people are asked; absent where it waits for something else. */
    question: askedQuestionSchema.optional(),
  }),
  /** The agent has ended its turn, nothing of it works in the background, and it has got all messages that have come. */
  z.object({ kind: z.literal("idle") }),
  /** The last frame of an attempt: all its processes are gone. */
  z.object({
    kind: z.literal("finished"),
    outcome: attemptOutcomeSchema,
    /** The agent's own report, or null when it made none. */
    report: z.object({ result: runResultSchema.exclude(["unknown"]), summary: z.string().max(10_000) }).nullable(),
    seen: z.object({
      turns: z.int().min(0),
      tool_calls: z.int().min(0),
      /** Absent when none was. */
      tools_refused: z.int().min(0).optional(),
      files_changed: z.int().min(0),
      /** Told by an earlier version's runner, and not believed: the worker counts what it saw pushed. */
      commits_pushed: z.int().min(0).default(0),
      cost_usd: dollarsSchema,
      /** Entries of the conversation that its agent's program has handed on; absent from a runner that keeps none. */
      conversation_entries: z.int().min(0).optional(),
      /** Which hosts it asked for; absent where it asked for none, or where its instance counts them. */
      hosts: hostUsesSchema.optional(),
    }),
  }),
]);
export type FrameBody = z.infer<typeof frameBodySchema>;
export const frameSchema = z.object({ n: z.int().min(1), body: frameBodySchema });
export type Frame = z.infer<typeof frameSchema>;

/** Runner → the run's object. The first message is `hello`. */
export const runnerToRunSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    protocol: z.int(),
    runner: sayingRunnerSchema,
    /** Drawn by the process that says it, for one works on an attempt; an engine starts a failed container anew with its tokens. */
    boot: z.string().min(8).max(64).optional(),
    /** Options that the runner knows; absent from one that knows none. */
    features: z.array(z.string().max(64)).max(64).default([]),
  }),
  z.object({ type: z.literal("frames"), frames: z.array(frameSchema).min(1) }),
  /** Live only: neither numbered nor acknowledged. */
  z.object({ type: z.literal("delta"), delta: deltaSchema }),
]);
export type RunnerToRun = z.infer<typeof runnerToRunSchema>;

/** The run's object → runner. */
export const runToRunnerSchema = z.discriminatedUnion("type", [
  /** `ack` is the last frame that is stored: the runner resends what comes after it. */
  z.object({
    type: z.literal("welcome"),
    protocol: z.int(),
    ack: z.int().min(0),
    order: runOrderSchema,
    /** Options that are in force on this connection; absent from a worker that knows none. */
    features: z.array(z.string()).default([]),
  }),
  z.object({ type: z.literal("ack"), n: z.int().min(0) }),
  /** Frames after `after` are missing here: send them again. */
  z.object({ type: z.literal("resend"), after: z.int().min(0) }),
  z.object({ type: z.literal("cancel"), reason: cancelReasonSchema }),
  /**
   * What a person says to the agent. Numbered in the session together with its interrupts; said again with each welcome until
   * the runner has taken it.
   */
  z.object({
    type: z.literal("message"),
    n: z.int().min(1),
    id: z.string(),
    text: z.string(),
    by: actorSchema,
  }),
  /** Stop the turn that is on, with all that it has started, then say that you took it, and wait for a message. */
  z.object({ type: z.literal("interrupt"), n: z.int().min(1) }),
  /** Somebody has answered what the agent asks, or its time is over. Said again with each welcome until its agent has heard it. */
  z.object({ type: z.literal("answer"), ...givenAnswerSchema.shape }),
  /** What the run waits for has not come in time: keep what another attempt needs, end all processes, and finish. */
  z.object({ type: z.literal("park") }),
  /** The answer to `idle`: no message waits, and none will come. End all processes, and finish. */
  z.object({ type: z.literal("close") }),
]);
export type RunToRunner = z.infer<typeof runToRunnerSchema>;

/** Close codes of both sockets. */
export const RUNNER_CLOSE = {
  /** The token is wrong, or the attempt has ended: stop the work and do not reconnect. */
  refused: 4401,
  /** The version that the first message tells, of the protocol or of the runner, is not served: see the reason. */
  protocol: 4426,
  /** Nobody has registered in time on this socket, or said hello: dial again. */
  late: 4408,
  /** Another socket has taken this one's place. */
  replaced: 4409,
  /** Another process is connected under this runner's id, and answers: dial again later, and tell a person. */
  taken: 4423,
  badMessage: 1008,
} as const;
