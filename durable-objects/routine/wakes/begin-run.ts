/** Makes the run of a wake, with its session and what its transcript begins with. */

import type { Wake } from "#protocol/occurrence.ts";
import { poolOf } from "#protocol/pool.ts";
import { NO_EVIDENCE, NO_USAGE } from "#protocol/run.ts";
import { timestamp } from "#protocol/time.ts";
import type { EventBody } from "#protocol/transcript.ts";
import { namedModel } from "#rules/run/model-rule.ts";
import { newRecord, type QueuedRecord } from "#rules/run/record.ts";
import type { AdmissionContext } from "./admission-context.ts";
import { ledHere, retryOf, triggerIdOf } from "./record-occurrence.ts";

/** What the run is to be beside what the wake says. */
export interface RunOfWake {
  runId: string;
  /** Of the session in which it goes on; null for one of its own. */
  sessionId: string | null;
  /** One, or several that it is made for; the run names the first as its own. */
  occurrenceIds: readonly [string, ...string[]];
  isStarted: boolean;
  /** Before this moment it waits for more events; 0 where it does not. */
  notBeforeMs: number;
}

export function beginRun(context: AdmissionContext, wake: Wake, asked: RunOfWake): QueuedRecord {
  const { isStarted, notBeforeMs } = asked;
  const { text, checkout } = wake;
  const run = newRun(context, wake, asked);
  const hasNewSession = asked.sessionId === null;
  const given = { run, text, checkout, hasNewSession, isStarted, notBeforeMs };
  context.engine.begin(context.tx, given, beginning(context, wake));
  const { session_key: made } = wake;
  if (made !== undefined && "key" in made && asked.sessionId === null) {
    context.sessionKeys.keep(context.tx, made.key, run.session_id);
  }
  return run;
}

function beginning({ routine }: AdmissionContext, { type, summary, text }: Wake): EventBody[] {
  return [
    { type: "run.queued", attempt: 1, summary },
    // What people say to a session goes on from the task that it has.
    ...(type === "message"
      ? []
      : [{ type: "user.message", source: "routine", text: routine.definition.prompt } as const]),
    ...(text === null ? [] : [{ type: "user.message", source: "trigger", text } as const]),
  ];
}

function newRun(context: AdmissionContext, event: Wake, { runId, sessionId, occurrenceIds }: RunOfWake): QueuedRecord {
  const { routine, ids } = context;
  const { nowMs } = context.tx;
  const { name, model, runs_on } = routine.definition;
  return newRecord({
    id: runId,
    routine_id: routine.id,
    session_id: sessionId ?? ids.make("session", nowMs),
    routine: { name, revision: routine.revision, model: namedModel(model, context.defaultModel) },
    trigger: {
      type: event.type,
      id: triggerIdOf(routine, event),
      occurrence_id: occurrenceIds[0],
      summary: event.summary,
      ...(occurrenceIds.length === 1 ? {} : { occurrence_ids: [...occurrenceIds] }),
      ...ledHere(event),
    },
    ...retryOf(event),
    pool: poolOf(runs_on),
    attempt: 1,
    demo_model: context.model.kind === "demo",
    status: "queued",
    result: null,
    summary: null,
    error: null,
    cancel_reason: null,
    cancel_requested_at: null,
    runner: null,
    usage: NO_USAGE,
    evidence: NO_EVIDENCE,
    timings: {
      queued_at: timestamp(nowMs),
      starting_at: null,
      running_at: null,
      first_event_at: null,
      finished_at: null,
    },
  });
}
