/** Tables of the routine's object for sessions, what people say to them, what they have pushed, and what later runs go on from. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Actor } from "#protocol/actor.ts";
import type { WorkspaceKept } from "#protocol/conversation.ts";
import type { DeedKind, DoneDeed } from "#protocol/github-deed.ts";
import type { Wake } from "#protocol/occurrence.ts";
import type { SeenPullRequest } from "#protocol/pull-request.ts";
import type { Answer, AskedQuestion } from "#protocol/question.ts";

/** A workspace as an attempt has left it. Its archive lies in R2 under `key`. */
export interface StoredWorkspace extends WorkspaceKept {
  key: string;
  /** The conversation's last part when it was kept. */
  n: number;
}

/** An event that went to a run that was on: a run of its own is made of this and its text where that one ends without. */
export type GivenEvent = Pick<Wake, "type" | "trigger_id" | "summary" | "depth" | "woken_by" | "checkout"> & {
  occurrence_id: string;
};

export const sessions = sqliteTable(
  "sessions",
  {
    id: text().primaryKey(),
    title: text().notNull(),
    createdAt: integer("created_at").notNull(),
    /** Whose word the title is: the routine's name, a report's first line, or a person's. */
    titleFrom: text("title_from", { enum: ["routine", "report", "person"] })
      .notNull()
      .default("routine"),
    archivedAt: integer("archived_at"),
  },
  (table) => [index("sessions_archived").on(table.id).where(sql`archived_at IS NOT NULL`)],
);

/** Of a routine with `session: keyed`: into which session the events of a key go. */
export const sessionKeys = sqliteTable(
  "session_keys",
  { key: text().primaryKey(), sessionId: text("session_id").notNull() },
  (table) => [index("session_keys_by_session").on(table.sessionId)],
);

/** One row for each session whose agent has said something. Its parts are numbered from 1; a number is used once. */
export const conversations = sqliteTable(
  "conversations",
  {
    sessionId: text("session_id").primaryKey(),
    sdkVersion: text("sdk_version").notNull(),
    /** The attempt that has written last. */
    runId: text("run_id").notNull(),
    attempt: integer().notNull(),
    lastN: integer("last_n").notNull(),
    /** Later runs go on from the parts up to this one; what an attempt that is made again had said is dropped. */
    keptN: integer("kept_n").notNull(),
    /** Bytes of the parts that are here, and not in R2. */
    looseBytes: integer("loose_bytes").notNull(),
    /** When it is forgotten, in Unix milliseconds. */
    expiresAt: integer("expires_at").notNull(),
    workspace: text({ mode: "json" }).$type<StoredWorkspace>(),
  },
  (table) => [index("conversations_by_age").on(table.expiresAt)],
);

/** Its primary key is the table itself (`WITHOUT ROWID`, in the migration), so that a part is written once. */
export const conversationParts = sqliteTable(
  "conversation_parts",
  {
    sessionId: text("session_id").notNull(),
    n: integer().notNull(),
    /** Empty for the agent's own file. */
    file: text().notNull(),
    bytes: integer().notNull(),
    /** Null where the part lies in R2, under `key`. */
    body: text(),
    key: text(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.n] })],
);

/**
 * What people have said to a session, its messages and interrupts, and the events that went to a run of it that was on. The
 * primary key is the table itself (`WITHOUT ROWID`, in the migration).
 */
export const messages = sqliteTable(
  "messages",
  {
    sessionId: text("session_id").notNull(),
    /** In the order in which they came. */
    n: integer().notNull(),
    /** The sender's own id of it; an event's is its occurrence's. */
    id: text().notNull(),
    kind: text({ enum: ["message", "interrupt"] }).notNull(),
    /** Empty for an interrupt, and once the transcript has it. */
    text: text().notNull(),
    /** Who has said it; the JSON `null` of an event. */
    by: text({ mode: "json" }).$type<Actor | null>().notNull(),
    /** The event that it is; null of what people say. */
    event: text({ mode: "json" }).$type<GivenEvent>(),
    at: integer().notNull(),
    /** The run that gets it. */
    runId: text("run_id").notNull(),
    /** When that run's agent got it, or the run ended without; null until then. */
    takenAt: integer("taken_at"),
  },
  (table) => [
    primaryKey({ columns: [table.sessionId, table.n] }),
    uniqueIndex("messages_by_id").on(table.sessionId, table.id),
    index("messages_waiting").on(table.runId, table.n).where(sql`taken_at IS NULL`),
  ],
);

/**
 * Branches to which a session has pushed, as far as the upstream has said that it took it: what of them is the session's
 * own may be rewritten.
 */
export const sessionBranches = sqliteTable(
  "session_branches",
  {
    sessionId: text("session_id").notNull(),
    /** The whole address of the repository. */
    place: text().notNull(),
    branch: text().notNull(),
    /** Where the branch stood when the session first pushed to it; null for a branch that the session has made. */
    base: text(),
    /** Where the session has put it. */
    tip: text().notNull(),
    /** Commits that the session has put on top of `base`. */
    own: text({ mode: "json" }).$type<string[]>().notNull(),
    /** When the latest push to it left. */
    at: integer().notNull(),
    /** Ids of the pushes to it that have been told, the latest ones. */
    pushes: text({ mode: "json" }).$type<string[]>().notNull().default([]),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.place, table.branch] })],
);

/** Pull requests that people have asked for: a row for each branch, before GitHub is asked. */
export const pullRequests = sqliteTable(
  "pull_requests",
  {
    sessionId: text("session_id").notNull(),
    /** The whole address of the repository. */
    place: text().notNull(),
    branch: text().notNull(),
    /** The run that had pushed the branch last. */
    runId: text("run_id").notNull(),
    by: text({ mode: "json" }).$type<Actor>().notNull(),
    askedAt: integer("asked_at").notNull(),
    /** Null until GitHub has said that it is open. */
    opened: text({ mode: "json" }).$type<SeenPullRequest>(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.place, table.branch] })],
);

/** What runs do at GitHub through the instance, noted before GitHub is asked. The primary key is the table itself, as below. */
export const githubDeeds = sqliteTable("github_deeds", {
  /** Of the run and of what is done: see `rules/run/deed-marker.ts`. */
  id: text().primaryKey(),
  sessionId: text("session_id").notNull(),
  runId: text("run_id").notNull(),
  kind: text().$type<DeedKind>().notNull(),
  /** When it was first begun. Unix milliseconds. */
  begunAt: integer("begun_at").notNull(),
  /** Until when whoever has begun it is at it. */
  heldUntil: integer("held_until").notNull(),
  /** Null until GitHub has said that it is done. */
  done: text({ mode: "json" }).$type<DoneDeed>(),
});

/** What runs have asked people. The primary key is the table itself (`WITHOUT ROWID`, in the migration). */
export const questions = sqliteTable(
  "questions",
  {
    runId: text("run_id").notNull(),
    id: text().notNull(),
    question: text({ mode: "json" }).$type<AskedQuestion>().notNull(),
    askedAt: integer("asked_at").notNull(),
    until: integer().notNull(),
    answer: text({ mode: "json" }).$type<Answer>(),
    /** When the answer was said to a runner; it may have been lost on the way, and come to nothing. */
    toldAt: integer("told_at"),
    /** When the run's agent has heard the answer. */
    takenAt: integer("taken_at"),
  },
  (table) => [primaryKey({ columns: [table.runId, table.id] })],
);
