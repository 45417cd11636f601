/** Takes sessions and runs out of the object, with all that belongs to them. What of it lies elsewhere is owed. */
import { and, type Column, eq, getTableColumns, gt, is, lt } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import type { Conversations } from "../conversations/conversations.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { RunStore } from "../runs/run-store.ts";
import * as schema from "../schema.ts";
import { askedHosts, attemptEnvironments, counters, questions, runContexts } from "../schema.ts";
import type { Artifacts } from "../sessions/artifacts.ts";
import type { TranscriptLog } from "../transcript/transcript-log.ts";
import type { Viewers } from "../viewers/viewers.ts";
import type { Tx, Work } from "../work.ts";

export interface SessionParts {
  work: Work;
  log: TranscriptLog;
  conversations: Conversations;
  artifacts: Artifacts;
  outbox: Outbox;
  viewers: Viewers;
}

/** What belongs to sessions, by their ids: a new table is among them by itself. */
const OF_SESSIONS = Object.values(schema).flatMap((table) => {
  if (!is(table, SQLiteTable) || table === schema.runs) return [];
  const columns: Record<string, Column> = getTableColumns(table);
  const { sessionId } = columns;
  return sessionId === undefined ? [] : [{ table, sessionId }];
});

/** All of a session but its runs. None of them may be on. Who watches is told that there is no such session. */
export function forgetSession(tx: Tx, parts: SessionParts, sessionId: string): void {
  const { work, log, conversations, artifacts, outbox, viewers } = parts;
  conversations.drop(tx, sessionId);
  artifacts.drop(tx, sessionId);
  log.drop(tx, sessionId);
  for (const { table, sessionId: column } of OF_SESSIONS) tx.database.delete(table).where(eq(column, sessionId)).run();
  tx.database.delete(schema.sessions).where(eq(schema.sessions.id, sessionId)).run();
  outbox.owe(tx, "tidy_transcript", sessionId);
  work.afterwards(tx, `removed:${sessionId}`, () =>
    viewers.closeSession(sessionId, CLOSE_CODES.noSuchSession, "the session has been deleted"),
  );
}

/** What a run was given and asked, and what its agent's calls were counted by. */
export function forgetWords(tx: Tx, runId: string): void {
  for (const table of [runContexts, questions]) tx.database.delete(table).where(eq(table.runId, runId)).run();
  // Notices of its proxies are counted by their words, after its id and a point.
  const ofRun = and(gt(counters.name, `${runId}.`), lt(counters.name, `${runId}/`));
  tx.database.delete(counters).where(ofRun).run();
}

/** A run that has ended is gone, also from the lists. */
export function forgetRun(tx: Tx, { runs, outbox }: { runs: RunStore; outbox: Outbox }, runId: string): void {
  forgetWords(tx, runId);
  for (const table of [askedHosts, attemptEnvironments]) tx.database.delete(table).where(eq(table.runId, runId)).run();
  runs.remove(tx, runId);
  outbox.owe(tx, "forget_run", runId);
}
