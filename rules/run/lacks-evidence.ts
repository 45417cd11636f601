/** Whether anything was seen of the work that an agent reports as done. Pure. */
import type { Evidence, RunResult } from "#protocol/run.ts";

/**
 * A report of `done` beside which neither the proxies nor the runner saw a trace of work that anybody could look at, here or behind a connector. Turns and
 * calls are no trace: an agent that only talked made them too.
 */
export function lacksEvidence(result: RunResult | null, evidence: Evidence): boolean {
  const { files_changed, commits_pushed, branches_pushed, files_shown = 0, comments = [], connectors = [] } = evidence;
  const changes = connectors.reduce((sum, use) => sum + use.changes, 0);
  const traces = files_changed + commits_pushed + branches_pushed.length + files_shown + comments.length + changes;
  return result === "done" && traces === 0;
}
