/**
 * D1. First what lists and matching need of the routines' objects, which own the truth; then what D1 owns itself: sign-ins, and
 * what came to listeners. Secrets are kept as SHA-256 in hex; times are Unix milliseconds.
 */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { type DeliveryOutcome, deliveryStatuses, verificationFailures } from "#protocol/delivery.ts";
import { DEFAULT_ENVIRONMENT } from "#protocol/environment.ts";
import type { SoughtDeed } from "#protocol/github-deed.ts";
import { triggerTypes } from "#protocol/occurrence.ts";
import { DEFAULT_POOL } from "#protocol/pool.ts";
import { runStatuses } from "#protocol/run-states.ts";
import { eventSources } from "#protocol/source-event.ts";

/** One row per routine that is not deleted. `doc` is the routine as the API shows it. */
export const routines = sqliteTable(
  "routines",
  {
    id: text().primaryKey(),
    /** The key that all ids of the routine have in them: see `protocol/ids.ts`. */
    ownerKey: text("owner_key").generatedAlwaysAs(sql`substr(id, 14, 12)`),
    doc: text().notNull(),
    /** Counts the object's writes: an older write that comes late changes nothing. */
    version: integer().notNull(),
    /** The name of its pool. */
    pool: text().notNull().default(DEFAULT_POOL),
    /** The name of its environment. */
    environment: text().notNull().default(DEFAULT_ENVIRONMENT),
  },
  (table) => [
    index("routines_by_pool").on(table.pool, table.id).where(sql`pool <> 'default'`),
    index("routines_by_name").on(sql`doc ->> '$.name'`, table.id),
    index("routines_by_environment").on(table.environment, table.id).where(sql`environment <> 'default'`),
    index("routines_by_owner").on(table.ownerKey),
    index("routines_with_connectors").on(table.id).where(sql`doc ->> '$.connectors' <> '[]'`),
  ],
);

/** Routines that have been deleted, for a day: a write of one's entry that comes late must not bring it back. */
export const forgottenRoutines = sqliteTable(
  "forgotten_routines",
  { id: text().primaryKey(), at: integer().notNull() },
  (table) => [index("forgotten_routines_by_age").on(table.at)],
);

/** One row per run. `doc` is its record (`rules/run/record.ts`); the other columns are what lists filter by. */
export const runs = sqliteTable(
  "runs",
  {
    id: text().primaryKey(),
    routineId: text("routine_id").notNull(),
    status: text({ enum: runStatuses }).notNull(),
    triggerType: text("trigger_type", { enum: triggerTypes }).notNull(),
    doc: text().notNull(),
    version: integer().notNull(),
  },
  (table) => [
    index("runs_by_routine").on(table.routineId, table.id),
    index("runs_by_status").on(table.status, table.id),
  ],
);

/** The keys of the events for which each trigger waits: an event finds its triggers by them, however many others there are. */
export const subscriptions = sqliteTable(
  "subscriptions",
  {
    routineId: text("routine_id").notNull(),
    triggerId: text("trigger_id").notNull(),
    /** For instance `github:1296269:push`, `github:acme/app:push`, `event:file.changed`, `routine:docs-writer`. */
    key: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.routineId, table.triggerId, table.key] }),
    index("subscriptions_by_key").on(table.key),
  ],
);

/** Routines with schedules: when each has to be looked at next. The sweep reads what is due, and nothing else. */
export const dueRoutines = sqliteTable(
  "due_routines",
  {
    routineId: text("routine_id").primaryKey(),
    /** Unix milliseconds. */
    dueAt: integer("due_at").notNull(),
    /** The version of the routine for which this was worked out: an answer about an older one changes nothing. */
    version: integer().notNull(),
  },
  (table) => [index("due_routines_by_time").on(table.dueAt, table.routineId)],
);

/** One row per browser that is signed in. */
export const webSessions = sqliteTable(
  "web_sessions",
  {
    hash: text().primaryKey(),
    expiresAt: integer("expires_at").notNull(),
    /**
     * The id by which people name it. Like all that follows it is null in a row of an earlier version, whose sign-in has
     * ended.
     */
    id: text(),
    /** The hash of the owner's token to which the sign-in is bound: see `authoritiesOf`. */
    authority: text(),
    createdAt: integer("created_at"),
    /** When it was last used, to within a few minutes. */
    lastUsedAt: integer("last_used_at"),
    userAgent: text("user_agent"),
    ip: text(),
  },
  (table) => [
    index("web_sessions_by_id").on(table.id),
    // The sweep finds what has lapsed, and reads nothing else.
    index("web_sessions_by_end").on(table.authority, table.expiresAt),
  ],
);

/** One row per sign-in code that is neither used nor swept. */
export const signInCodes = sqliteTable("sign_in_codes", {
  hash: text().primaryKey(),
  /** The hash of the web session that asked for it, with whose end it ends; null for the owner's token. */
  madeBy: text("made_by"),
  authority: text(),
  expiresAt: integer("expires_at").notNull(),
});

/** Which routines' objects a web session has opened sockets in: when it is ended, each is owed the call that closes them. */
export const webSessionObjects = sqliteTable(
  "web_session_objects",
  {
    hash: text().notNull(),
    routineKey: text("routine_key").notNull(),
    /** An id that the object owns, by which it is found. */
    id: text().notNull(),
    /** When the call is made, or made again; null while the web session is on. */
    dueAt: integer("due_at"),
    tries: integer().notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.hash, table.routineKey] }),
    index("web_session_objects_owed").on(table.dueAt).where(sql`due_at IS NOT NULL`),
  ],
);

/** Requests that came to a listener and were believed. */
export const deliveries = sqliteTable(
  "deliveries",
  {
    id: text().primaryKey(),
    source: text({ enum: eventSources }).notNull(),
    triggerId: text("trigger_id"),
    status: text({ enum: deliveryStatuses }).notNull(),
    /** How often it has been taken up. */
    tries: integer().notNull().default(0),
    /** While the status is `stored`: when the delivery is to be taken up, unless it has been handled by then. */
    nextAt: integer("next_at").notNull(),
    providerId: text("provider_id"),
    event: text(),
    action: text(),
    summary: text(),
    note: text(),
    /** Without credentials. */
    headers: text({ mode: "json" }).$type<Record<string, string>>().notNull(),
    /** Null when it is kept in R2, or its time is over. */
    body: text(),
    sizeBytes: integer("size_bytes").notNull(),
    outcomes: text({ mode: "json" }).$type<DeliveryOutcome[]>().notNull(),
  },
  (table) => [
    // A list of one source, one status, or both, reads what it shows: those of the others may be many.
    index("deliveries_by_source").on(table.source, table.id),
    index("deliveries_by_status").on(table.status, table.id),
    index("deliveries_by_source_and_status").on(table.source, table.status, table.id),
    // The sweep finds deliveries that were cut off by this index.
    index("deliveries_stored").on(table.nextAt, table.id).where(sql`status = 'stored'`),
    // Finds deliveries that change what is known of repositories: one that comes twice counts once.
    index("deliveries_of_changes")
      .on(table.providerId)
      .where(
        sql`event IN ('installation', 'installation_repositories', 'installation_target', 'organization', 'repository', 'meta')`,
      ),
  ],
);

/** Requests that could not be verified: a count for each day, and nothing of their content. */
export const verificationFailureCounts = sqliteTable(
  "verification_failures",
  {
    day: text().notNull(),
    source: text({ enum: eventSources }).notNull(),
    triggerId: text("trigger_id").notNull(),
    failure: text({ enum: verificationFailures }).notNull(),
    count: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.day, table.source, table.triggerId, table.failure] })],
);

/** Pushes that have been sent on, until it is known what the upstream has made of them: an instance may be killed between. */
export const begunPushes = sqliteTable(
  "begun_pushes",
  {
    id: text().primaryKey(),
    runId: text("run_id").notNull(),
    generation: integer().notNull(),
    /** The repository's number in the routine, and its address. */
    number: integer().notNull(),
    url: text().notNull(),
    branches: text({ mode: "json" })
      .$type<{ branch: string; commit: string; previous: string | null; commits?: number }[]>()
      .notNull(),
    /** What a run was writing at GitHub, in place of branches. */
    deed: text({ mode: "json" }).$type<SoughtDeed>(),
    /** What the upstream has accepted of the push, until the run's object has recorded them. */
    taken: text({ mode: "json" }).$type<
      { branch: string; commit: string; previous: string | null; own?: string[] }[]
    >(),
    tries: integer().notNull().default(0),
    /** When it left; 0 where it is not known. */
    begunAt: integer("begun_at").notNull().default(0),
    /** When the upstream is asked. */
    askAt: integer("ask_at").notNull(),
  },
  (table) => [index("begun_pushes_due").on(table.askAt)],
);

/** What runs push, noted before it leaves: repository, ref and commit as one text. What pushes cause is known by it. */
export const pushMarks = sqliteTable(
  "push_marks",
  {
    mark: text().notNull(),
    runId: text("run_id").notNull(),
    routineId: text("routine_id").notNull(),
    depth: integer().notNull(),
    at: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.mark, table.runId] }), index("push_marks_by_age").on(table.at)],
);

/** When parts of the instance that nobody calls last showed that they work. */
export const heartbeats = sqliteTable("heartbeats", {
  /** `sweep`, which cron calls; `queue` and `usage_queue`, which take messages. */
  name: text().primaryKey(),
  at: integer().notNull(),
});
