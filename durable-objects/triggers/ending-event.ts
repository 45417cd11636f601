/** The end of a run as an event that other routines can wait for. Pure. */
import type { IncomingEvent } from "#protocol/incoming-event.ts";
import type { Run } from "#protocol/run.ts";
import { routineKey } from "#protocol/subscriptions.ts";

const SUMMARY_LIMIT = 4_000;

/** @param run one that has ended. */
export function endingEvent(run: Run): IncomingEvent {
  const { id, routine_id, routine, status, result, summary, error, evidence, trigger } = run;
  const { name } = routine;
  return {
    source: "routine",
    delivery_id: null,
    offer_id: id,
    trigger_id: null,
    name: "run.finished",
    action: status,
    summary: `Run of ${name} ${status.replace("_", " ")}`.slice(0, 200),
    dedupe_key: id,
    also_key: null,
    payload: { routine_id, routine_name: name, run_id: id, status, result, summary, error, evidence },
    fields: { status, result, routine: name },
    context: contextOf(run),
    github: null,
    caused_by: { routine_id, run_id: id, depth: trigger.depth ?? 0 },
  };
}

/** The keys under which routines wait for this run's end. */
export function endingKeys({ routine_id, routine }: Run): string[] {
  return [routineKey(routine_id), routineKey(routine.name)];
}

function contextOf({ id, session_id, routine, status, result, summary, error, evidence }: Run): string {
  const facts = [
    `A run of the routine "${routine.name}" has ended.`,
    `run: ${id}`,
    `session: ${session_id}`,
    `status: ${status}`,
    `result: ${result}`,
    ...(summary === null ? [] : [`summary: ${summary.slice(0, SUMMARY_LIMIT)}`]),
    ...(error === null ? [] : [`error: ${error.code} (${error.message})`]),
    `turns: ${evidence.turns}, tool calls: ${evidence.tool_calls}, files changed: ${evidence.files_changed}`,
    ...evidence.branches_pushed.map(
      ({ repository, branch, commit }) => `pushed: ${branch} of ${repository} at ${commit}`,
    ),
  ];
  return facts.join("\n");
}
