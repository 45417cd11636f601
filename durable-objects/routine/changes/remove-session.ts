/** A session is deleted: what was said in it and is kept of it goes, and its runs stay as records of what was done. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import { isSettled } from "#protocol/run.ts";
import { forgetSession, forgetWords, type SessionParts } from "../retention/forget.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Tx } from "../work.ts";

type Parts = SessionParts & { runs: RunStore };

/** Refused while a run of the session has not ended. What lies in R2 is owed. */
export function removeSession(tx: Tx, parts: Parts, sessionId: string): Result<null> {
  const { runs } = parts;
  if (runs.hasUnsettledRun(sessionId)) return refuse("session_active");
  const ids = runs.sessions.runsOf(sessionId).map(({ id }) => id);
  forgetSession(tx, parts, sessionId);
  for (const id of ids) forgetRunsWords(tx, parts, id);
  return success(null);
}

/** What a run was given and told, and what its agent and its proxies said. */
function forgetRunsWords(tx: Tx, { runs, outbox }: Parts, runId: string): void {
  const row = runs.get(runId);
  if (row === null || !isSettled(row.doc)) return;
  runs.rewrite(tx, row, {
    doc: { ...row.doc, summary: null, session_deleted: true },
    text: null,
    checkout: row.checkout,
    notBefore: row.notBefore,
  });
  forgetWords(tx, runId);
  outbox.owe(tx, "project_run", runId);
}
