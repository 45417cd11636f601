/** A session is deleted: what was said in it and is kept of it goes, and its runs stay as records of what was done. */
import { and, type Column, eq, getTableColumns, gt, is, lt } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { isSettled } from "#protocol/run.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import type { Conversations } from "../conversations/conversations.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { RunStore } from "../runs/run-store.ts";
import * as schema from "../schema.ts";
import { counters, questions, runContexts } from "../schema.ts";
import type { Artifacts } from "../sessions/artifacts.ts";
import type { TranscriptLog } from "../transcript/transcript-log.ts";
import type { Viewers } from "../viewers/viewers.ts";
import type { Tx, Work } from "../work.ts";

interface Parts {
  work: Work;
  runs: RunStore;
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

/** Refused while a run of the session has not ended. What lies in R2 is owed. */
export function removeSession(tx: Tx, parts: Parts, sessionId: string): Result<null> {
  const { work, runs, log, conversations, artifacts, viewers } = parts;
  if (runs.hasUnsettledRun(sessionId)) return refuse("session_active");
  const ids = runs.sessions.runsOf(sessionId).map(({ id }) => id);
  conversations.drop(tx, sessionId);
  artifacts.drop(tx, sessionId);
  log.drop(tx, sessionId);
  for (const { table, sessionId: column } of OF_SESSIONS) tx.database.delete(table).where(eq(column, sessionId)).run();
  tx.database.delete(schema.sessions).where(eq(schema.sessions.id, sessionId)).run();
  for (const id of ids) forgetWords(tx, parts, id);
  work.afterwards(tx, `removed:${sessionId}`, () =>
    viewers.closeSession(sessionId, CLOSE_CODES.noSuchSession, "the session has been deleted"),
  );
  return success(null);
}

/** What a run was given and told, and what its agent and its proxies said. */
function forgetWords(tx: Tx, { runs, outbox }: Parts, runId: string): void {
  const row = runs.get(runId);
  if (row === null || !isSettled(row.doc)) return;
  runs.rewrite(tx, row, {
    doc: { ...row.doc, summary: null, session_deleted: true },
    text: null,
    checkout: row.checkout,
    notBefore: row.notBefore,
  });
  for (const table of [runContexts, questions]) tx.database.delete(table).where(eq(table.runId, runId)).run();
  // Notices of its proxies are counted by their words, after its id and a point.
  const ofRun = and(gt(counters.name, `${runId}.`), lt(counters.name, `${runId}/`));
  tx.database.delete(counters).where(ofRun).run();
  outbox.owe(tx, "project_run", runId);
}
