/** What a run takes along from one attempt to the next. Pure. */

import { withoutWaiting } from "./ending.ts";
import type { DoneBefore, Finished, RunState } from "./inputs.ts";
import type { ActiveRecord, QueuedRecord } from "./record.ts";

/** The state of a run that has just been admitted. */
export function newState(run: QueuedRecord, notBeforeMs: number): RunState {
  return {
    run,
    phase: "admission",
    notBeforeMs,
    overdue: null,
    boot: null,
    features: [],
    ending: null,
    before: null,
  };
}

/** Whether no attempt at it is on: it is in the queue, or waits without a sandbox. */
export function isBetweenAttempts({ status, runner }: ActiveRecord): boolean {
  return status === "queued" || (status === "waiting" && runner === null);
}

/** The record with what the attempt's runner has seen, on top of what had been done before. */
export function countSeen<Any extends ActiveRecord>(run: Any, seen: Finished["seen"], before: DoneBefore | null): Any {
  const refused = (before?.tools_refused ?? 0) + (seen.tools_refused ?? 0);
  return {
    ...run,
    usage: { ...run.usage, cost_usd: run.demo_model ? 0 : (before?.cost_usd ?? 0) + seen.cost_usd },
    evidence: {
      ...run.evidence,
      turns: (before?.turns ?? 0) + seen.turns,
      tool_calls: (before?.tool_calls ?? 0) + seen.tool_calls,
      ...(refused === 0 ? {} : { tools_refused: refused }),
      files_changed: seen.files_changed,
    },
  };
}

/** The run back in the queue, for its next attempt. */
export function queueAgain(run: ActiveRecord): RunState {
  return {
    phase: "provisioning",
    notBeforeMs: 0,
    overdue: null,
    boot: null,
    features: [],
    ending: null,
    before: null,
    run: {
      ...withoutWaiting(run),
      status: "queued",
      attempt: run.attempt + 1,
      runner: null,
      timings: { ...run.timings, starting_at: null, running_at: null, finished_at: null },
    },
  };
}
