/** The tables of a routine's object for what outlasts a run of its work: changes, notes, and what runs are told of each other. */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { NoteAuthor } from "#protocol/note.ts";

/** What the work of each session has changed, as its latest run has left it. */
export const sessionDiffs = sqliteTable(
  "session_diffs",
  {
    sessionId: text("session_id").primaryKey(),
    runId: text("run_id").notNull(),
    at: integer().notNull(),
    body: text().notNull(),
  },
  (table) => [index("session_diffs_by_time").on(table.at)],
);

/** Files that runs have shown. Their bytes lie in R2. */
export const artifacts = sqliteTable(
  "artifacts",
  {
    id: text().primaryKey(),
    sessionId: text("session_id").notNull(),
    runId: text("run_id").notNull(),
    name: text().notNull(),
    mediaType: text("media_type").notNull(),
    bytes: integer().notNull(),
    at: integer().notNull(),
    /** Whether its bytes are there. */
    isWhole: integer("is_whole", { mode: "boolean" }).notNull(),
  },
  (table) => [
    index("artifacts_by_session").on(table.sessionId, table.at),
    index("artifacts_by_run").on(table.runId),
    index("artifacts_by_time").on(table.at),
  ],
);

/** What a run is told of earlier runs; null where there was nothing to tell. */
export const runContexts = sqliteTable("run_contexts", { runId: text("run_id").primaryKey(), text: text() });

/** Notes that the routine's runs share, and people read and edit: a row for each revision that is kept. */
export const notes = sqliteTable(
  "notes",
  {
    name: text().notNull(),
    revision: integer().notNull(),
    text: text().notNull(),
    author: text({ mode: "json" }).$type<NoteAuthor>().notNull(),
    at: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.name, table.revision] })],
);
