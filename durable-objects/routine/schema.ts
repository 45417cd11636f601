/** The tables of a routine's object. What lists and matching need goes from here to D1. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Actor } from "#protocol/actor.ts";
import type { HostUse } from "#protocol/host-use.ts";
import type { Checkout, Occurrence } from "#protocol/occurrence.ts";
import type { RoutineDefinition } from "#protocol/routine.ts";
import type { Tokens } from "#protocol/run.ts";
import { type RunPhase, runPhaseSchema } from "#protocol/run-errors.ts";
import { runStatuses } from "#protocol/run-states.ts";
import type { KeptEnvironment } from "#rules/environment/kept-environment.ts";
import type { DoneBefore } from "#rules/run/inputs.ts";
import { IS_UNSETTLED } from "#rules/run/status-condition.ts";

export { sharedBudgets, sharedReservations, spending, spendingDays } from "./budget-tables.ts";
export { gatedKeys, gatedWakes } from "./gate-tables.ts";
export { notifications, slackUpdates } from "./notification-tables.ts";
export { retention } from "./retention-tables.ts";
export {
  conversationParts,
  conversations,
  githubDeeds,
  messages,
  pullRequests,
  questions,
  sessionBranches,
  sessionKeys,
  sessions,
} from "./session-tables.ts";
export { deadLetters, health } from "./trouble-tables.ts";
export { watchedItems, watches } from "./watch-tables.ts";
export { artifacts, notes, runContexts, sessionDiffs } from "./work-tables.ts";

/** The routine itself: one row. A deleted routine keeps it as its tombstone. Times are Unix milliseconds. */
export const routine = sqliteTable("routine", {
  id: text().primaryKey(),
  revision: integer().notNull(),
  definition: text({ mode: "json" }).$type<RoutineDefinition>().notNull(),
  status: text({ enum: ["active", "paused", "deleted"] }).notNull(),
  pausedReason: text("paused_reason"),
  /** `failures`: it has paused itself. Null for a person's pause, and while it is not paused. */
  pausedBy: text("paused_by", { enum: ["failures"] }),
  /** SHA-256 of the fire token, in hex. */
  tokenHash: text("token_hash"),
  /** Whether that token also reads the routine's runs. */
  tokenMayRead: integer("token_may_read", { mode: "boolean" }).notNull().default(false),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  /** Counts changes of this row, so that D1 can tell an older write that comes late. */
  version: integer().notNull(),
});

export const revisions = sqliteTable("revisions", {
  revision: integer().primaryKey(),
  at: integer().notNull(),
  /** The actor's name. */
  by: text().notNull(),
  byKind: text("by_kind").$type<Actor["kind"]>().notNull().default("owner"),
  byId: text("by_id"),
  definition: text({ mode: "json" }).$type<RoutineDefinition>().notNull(),
});

export const occurrences = sqliteTable("occurrences", {
  id: text().primaryKey(),
  doc: text({ mode: "json" }).$type<Occurrence>().notNull(),
  /** The id of the call that brought it, which may be made again; null where no call is repeated. */
  callId: text("call_id"),
});

/**
 * Keys of the last 24 hours. Should admission's own check ever fail, the primary key still keeps a key from being used
 * twice.
 */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    key: text().primaryKey(),
    fingerprint: text().notNull(),
    occurrenceId: text("occurrence_id").notNull(),
    at: integer().notNull(),
  },
  (table) => [index("idempotency_keys_by_age").on(table.at)],
);

export const runs = sqliteTable(
  "runs",
  {
    id: text().primaryKey(),
    sessionId: text("session_id").notNull(),
    status: text({ enum: runStatuses }).notNull(),
    /** Its record, as some version has stored it: `rules/run/record.ts` reads it. */
    doc: text().notNull(),
    /** Text that came with the trigger; untrusted. */
    text: text(),
    /** The commit that the trigger is about. */
    checkout: text({ mode: "json" }).$type<Checkout>(),
    /** How far the attempt has come, as its steps tell. */
    phase: text({ enum: runPhaseSchema.options as [RunPhase, ...RunPhase[]] }).notNull(),
    /** A retry does not start before this time. */
    notBefore: integer("not_before").notNull().default(0),
    /** The bound that the attempt has passed; it ends with its lease. */
    overdue: text({ enum: ["start", "timeout"] }),
    /** Of the process that works on the attempt, as it told when it said hello. */
    boot: text(),
    /** Options that are in force on the link of that process. */
    features: text({ mode: "json" }).$type<readonly string[]>().notNull().default([]),
    /** What follows when the attempt is over: see `RunState.ending`. */
    ending: text({ enum: ["closing", "continuing"] }),
    /** What was done before its sandbox was given up. */
    before: text({ mode: "json" }).$type<DoneBefore>(),
    version: integer().notNull(),
  },
  (table) => [
    index("runs_unsettled").on(table.status, table.id, table.notBefore).where(sql.raw(IS_UNSETTLED)),
    // A session that goes by a key may have thousands of runs, of which those that have not settled are asked for.
    index("runs_by_session").on(table.sessionId, sql.raw(`(${IS_UNSETTLED})`), table.id),
  ],
);

/** The environments of attempts that are on, without values of secrets. Its row goes when the run has settled. */
export const attemptEnvironments = sqliteTable("attempt_environments", {
  runId: text("run_id").primaryKey(),
  attempt: integer().notNull(),
  doc: text({ mode: "json" }).$type<KeptEnvironment>().notNull(),
});

/**
 * The transcripts. A row holds the events of one transaction, as they are sent, a line each; `end_bytes` is the length
 * of the session's events up to its end. With a `key` its events lie in R2, and of them it has the last calls of tools alone. Its primary key is the table itself (`WITHOUT ROWID`, in the migration), so
 * that a row is written once.
 */
export const transcript = sqliteTable(
  "transcript",
  {
    sessionId: text("session_id").notNull(),
    lastSeq: integer("last_seq").notNull(),
    firstSeq: integer("first_seq").notNull(),
    endBytes: integer("end_bytes").notNull(),
    /** The attempt whose frames are stored up to `frame`, with that many tool calls in them. */
    runId: text("run_id").notNull(),
    attempt: integer().notNull(),
    frame: integer().notNull(),
    toolCalls: integer("tool_calls").notNull(),
    body: text().notNull(),
    key: text(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.lastSeq] })],
);

/**
 * Moments at which the object has to look again. One alarm is armed for the earliest. The primary key is the table itself,
 * as that of `transcript`, and so is that of `outbox`.
 */
export const deadlines = sqliteTable(
  "deadlines",
  { ref: text().notNull(), kind: text().notNull(), dueAt: integer("due_at").notNull() },
  (table) => [primaryKey({ columns: [table.ref, table.kind] }), index("deadlines_by_time").on(table.dueAt)],
);

/** Calls that the object owes to others: each stays until it has gone through. */
export const outbox = sqliteTable(
  "outbox",
  {
    kind: text().notNull(),
    ref: text().notNull(),
    tries: integer().notNull().default(0),
    /** Until then a call that is under way is not made by anybody else, and one that failed waits. */
    dueAt: integer("due_at").notNull(),
    /** Changes when the same call is owed anew while one is under way. */
    stamp: integer().notNull(),
    /** Whether the object has it under way, or waits for its turn with it. */
    isClaimed: integer("is_claimed", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [
    primaryKey({ columns: [table.kind, table.ref] }),
    // Nearly every call goes through at once, and never gets in here.
    index("outbox_waiting").on(table.kind, table.dueAt).where(sql.raw("is_claimed = 0")),
  ],
);

/** How far each schedule has been claimed: a scheduled instant up to there never starts anything again. */
export const schedules = sqliteTable("schedules", {
  triggerId: text("trigger_id").primaryKey(),
  /** What decides the schedule's instants, as text: when it changes, the schedule begins anew. */
  spec: text().notNull(),
  claimedUntil: integer("claimed_until").notNull(),
});

/** Events that coalesce: for each trigger and key the run that waits for more of them. */
export const bursts = sqliteTable(
  "bursts",
  {
    triggerId: text("trigger_id").notNull(),
    key: text().notNull(),
    runId: text("run_id").notNull(),
    /** When the run starts at the latest. */
    endsAt: integer("ends_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.triggerId, table.key] })],
);

/** Secrets of webhook endpoints, encrypted with a key of the instance's. */
export const endpoints = sqliteTable("endpoints", {
  triggerId: text("trigger_id").primaryKey(),
  secret: text().notNull(),
  /** The secrets before this one, newest first, each with the moment until which it is accepted too. */
  previous: text({ mode: "json" }).$type<{ secret: string; untilMs: number }[]>().notNull(),
  /** True only for secrets that a version of before took without the owner's confirming them. */
  isUnseen: integer("is_unseen", { mode: "boolean" }).notNull(),
});

/** Secrets that have come to an endpoint as its source's, from whomever: none is in force until the owner has confirmed it. */
export const handedOver = sqliteTable(
  "handed_over",
  {
    triggerId: text("trigger_id").notNull(),
    /** The beginning of the secret's SHA-256: the owner names it by this, and the same secret has the same id. */
    id: text().notNull(),
    /** Encrypted, as secrets in force are. */
    secret: text().notNull(),
    /** When it came first, when last, and how often. */
    at: integer().notNull(),
    lastAt: integer("last_at").notNull(),
    times: integer().notNull(),
    /** Of the last request that brought it; null where it is not known. */
    ip: text(),
    userAgent: text("user_agent"),
  },
  (table) => [primaryKey({ columns: [table.triggerId, table.id] })],
);

/** Which GitHub repository an address stood for when something first came from it: names change hands. */
export const repositoryIds = sqliteTable("repository_ids", {
  fullName: text("full_name").primaryKey(),
  /** 0 while it is only known that it is not the repository that has the name now. */
  repositoryId: integer("repository_id").notNull(),
  /** The repository got the name after the routine named it: one that is found to have had the name before takes its place. */
  isNewcomer: integer("is_newcomer", { mode: "boolean" }).notNull().default(false),
});

/**
 * Model calls of which nobody has told yet what they used. Its primary key is the table itself (`WITHOUT ROWID`, in the
 * migration).
 */
export const openModelCalls = sqliteTable(
  "open_model_calls",
  {
    runId: text("run_id").notNull(),
    /** The call's number in its run. */
    call: integer().notNull(),
    /** What of it has been counted, while it is under way. */
    tokens: text({ mode: "json" }).$type<Tokens>().notNull(),
    /** The model that answers, and how many times its list price it costs. */
    model: text().notNull().default(""),
    factor: real().notNull().default(1),
    /** What it may cost at most, in US dollars. */
    reserved: real().notNull().default(0),
    /** When it began, in Unix milliseconds. */
    at: integer().notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.runId, table.call] })],
);

/** Which hosts a run has asked for, for those that have. */
export const askedHosts = sqliteTable("asked_hosts", {
  runId: text("run_id").primaryKey(),
  hosts: text({ mode: "json" }).$type<HostUse[]>().notNull(),
});

export const tickets = sqliteTable("tickets", {
  /** SHA-256 of the ticket, in hex. */
  hash: text().primaryKey(),
  sessionId: text("session_id").notNull(),
  /** The sign-in that asked for it, and until when that holds; null for the owner's token. */
  access: text(),
  accessUntil: integer("access_until"),
  signIn: text("sign_in"),
  /** What the asker was let in by: see `authoritiesOf`. */
  authority: text(),
  expiresAt: integer("expires_at").notNull(),
});

/** Sign-ins that have been ended, until they would have ended by themselves: a socket that comes late is not let in. */
export const revokedAccesses = sqliteTable("revoked_accesses", {
  access: text().primaryKey(),
  until: integer().notNull(),
});

/** Refusals that leave no occurrence (401 and 429), and how often each notice of a run's proxies came up. */
export const counters = sqliteTable("counters", { name: text().primaryKey(), count: integer().notNull() });
