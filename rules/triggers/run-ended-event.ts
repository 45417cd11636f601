/** The end of a run as an event that other routines can wait for. Pure. */

import { firstCharacters } from "#protocol/characters.ts";
import type { ListedRun } from "#protocol/run.ts";
import { CONTEXT_LIMIT, type SourceEvent } from "#protocol/source-event.ts";
import { oneSeenLine } from "#protocol/unseen-characters.ts";
import { lacksEvidence } from "../run/lacks-evidence.ts";
import { routineKeys } from "./subscriptions.ts";

/** The name of the event. */
export const RUN_ENDED = "run.finished";
const SUMMARY_LIMIT = 4_000;
const BRANCHES_TOLD = 20;

/**
 * @param run one that has ended. @param name what its routine is called at present: the run keeps the name of its beginning.
 */
export function runEndedEvent(run: ListedRun, name: string): SourceEvent {
  const { id, routine_id, routine, status, result, summary, error, evidence, trigger } = run;
  const routine_names = [...new Set([name, routine.name])];
  // In JSON a field is there or is not: it can't be `undefined`.
  const { hosts: _hosts, files_shown = 0, pull_requests = [], comments = [], connectors = [], ...counts } = evidence;
  const plainEvidence = {
    ...counts,
    files_shown,
    pull_requests,
    comments,
    connectors,
    tools_refused: evidence.tools_refused ?? 0,
  };
  return {
    source: "routine",
    delivery_id: null,
    event_id: id,
    trigger_id: null,
    name: RUN_ENDED,
    action: status,
    summary: firstCharacters(oneSeenLine(`Run of ${name} ${status.replace("_", " ")}`), 200),
    dedupe_key: id,
    content_key: null,
    payload: {
      routine_id,
      routine_name: name,
      routine_names,
      run_id: id,
      status,
      result,
      summary,
      error,
      evidence: plainEvidence,
    },
    fields: { status, result, routine: name },
    context: contextOf(run, name).slice(0, CONTEXT_LIMIT),
    github: null,
    caused_by: { routine_id, run_id: id, depth: trigger.depth ?? 0 },
  };
}

/** The keys under which routines wait for this run's end. */
export function runEndedKeys({ routine_id, routine }: ListedRun, name: string): string[] {
  return routineKeys(routine_id, [name, routine.name]);
}

/** What the agent has written comes last, so that nothing in it can pass for a fact. */
function contextOf({ id, session_id, status, result, summary, error, evidence }: ListedRun, name: string): string {
  const facts = [
    `A run of the routine ${JSON.stringify(name)} has ended.`,
    `run: ${id}`,
    `session: ${session_id}`,
    `status: ${status}`,
    `result: ${result}`,
    ...(error === null ? [] : [`error: ${error.code} (${error.message})`]),
    `turns: ${evidence.turns}, tool calls: ${evidence.tool_calls}, files changed: ${evidence.files_changed}`,
    ...(lacksEvidence(result, evidence) ? ["evidence: nothing was seen of what it reports as done"] : []),
    ...evidence.branches_pushed
      .slice(-BRANCHES_TOLD)
      .map(({ repository, branch, commit }) => `pushed: ${branch} of ${repository} at ${commit}`),
    ...(summary === null ? [] : [`summary: ${summary.slice(0, SUMMARY_LIMIT)}`]),
  ];
  return facts.join("\n");
}
