/** The one way to a run: reads, decides and inserts without waiting in between. */

import type { ModelUpstream } from "#instance/config.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { IdMaker } from "#protocol/ids.ts";
import {
  type Admission,
  isByHand,
  type Occurrence,
  type Outcome,
  type OutcomeReason,
  type Wake,
} from "#protocol/occurrence.ts";
import { poolOf } from "#protocol/pool.ts";
import { NO_EVIDENCE, NO_USAGE } from "#protocol/run.ts";
import { timestamp } from "#protocol/time.ts";
import { type AdmissionVerdict, decideAdmission, type Superseded } from "#rules/admission.ts";
import { namedModel } from "#rules/run/model-rule.ts";
import { newRecord, type QueuedRecord } from "#rules/run/record.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { DeadLetters } from "../runs/dead-letters.ts";
import type { RunEngine } from "../runs/run-engine.ts";
import type { RunRow, RunStore } from "../runs/run-store.ts";
import type { Spending } from "../runs/spending.ts";
import type { Tx } from "../work.ts";
import type { CoalescedRuns } from "./coalesced-runs.ts";
import type { OccurrenceStore } from "./occurrences.ts";
import { keepKey, keepKeys, keyOf } from "./wake-keys.ts";

export interface AdmissionContext {
  routine: RoutineRow;
  model: ModelUpstream;
  defaultModel: string;
  occurrences: OccurrenceStore;
  runs: RunStore;
  engine: RunEngine;
  coalesced: CoalescedRuns;
  deadLetters: DeadLetters;
  spending: Spending;
  ids: IdMaker;
  tx: Tx;
}

/** What admission made of an event. */
export interface Admitted {
  /** Null where nothing is recorded: a flood of refused fires must not fill the storage. */
  occurrence: Occurrence | null;
  /** What the caller of a fire hears. */
  answer: Result<Admission>;
}

/** How long, and under which key, the run waits for more events like this one. */
export interface Coalescing {
  notBeforeMs: number;
}

/** What the run is to be beside what the event says. */
interface Asked {
  coalescing: Coalescing | null;
  sessionId: string | null;
}

/**
 * Decides on an event and writes everything that follows from it.
 * @param coalescing when the run is to wait for more events like this.
 * @param sessionId of the session in which it goes on; null for one of its own.
 */
export function admit(
  context: AdmissionContext,
  event: Wake,
  coalescing: Coalescing | null = null,
  sessionId: string | null = null,
): Admitted {
  const { routine, occurrences, runs } = context;
  const { nowMs } = context.tx;
  // Gives places to waiting runs first, in case the alarm that would have done so is late: else one of them would be
  // superseded.
  context.engine.promote(context.tx);
  const { active, queued } = runs.queue.places();
  const find = (key: string | null) => (key === null ? null : occurrences.findKey(keyOf(event, key)));
  const verdict = decideAdmission({
    event,
    isPaused: routine.status === "paused",
    hasPausedItself: routine.pausedBy === "failures",
    hasModel: context.model.kind !== "none",
    isBudgetSpent: context.spending.isMonthSpent(routine.definition.limits, nowMs),
    overlap: routine.definition.overlap,
    maxConcurrent: routine.definition.max_concurrent,
    earlier: find(event.dedupe_key),
    alike: find(event.content_key),
    active,
    queued,
    coalescing: queued === 0 ? 0 : context.coalesced.waiting(nowMs).length,
    isCoalescing: coalescing !== null,
    isSessionBusy: sessionId !== null && runs.hasUnsettledRun(sessionId),
    nowMs,
  });
  return carryOut(context, event, verdict, { coalescing, sessionId });
}

/** Records an occurrence that starts nothing, whatever the routine would allow. */
export function recordOnly(
  context: AdmissionContext,
  event: Wake,
  verdict: { outcome: Exclude<Outcome, "started" | "queued">; reason: OutcomeReason },
): Occurrence {
  return record(context, event, verdict, null);
}

/** Records an occurrence that joins a run which waits. */
export function recordJoined(context: AdmissionContext, event: Wake, runId: string): Occurrence {
  const occurrence = record(context, event, { outcome: "queued", reason: "coalesced" }, runId);
  keepKeys(context, event, occurrence.id);
  return occurrence;
}

function carryOut(context: AdmissionContext, event: Wake, verdict: AdmissionVerdict, asked: Asked): Admitted {
  switch (verdict.outcome) {
    case "queue_full": {
      const answer = refuse("queue_full", { retry_after_s: 60 });
      // Whoever fires is told by the answer; for every other wake the occurrence is the only record.
      const isTold = event.type === "api" || isByHand(event);
      const refused = { outcome: "refused", reason: "queue_full" } as const;
      return { occurrence: isTold ? null : record(context, event, refused, null), answer };
    }
    case "refused": {
      const occurrence = record(context, event, verdict, null);
      return { occurrence, answer: refuse(verdict.reason, { occurrence_id: occurrence.id }) };
    }
    case "skipped": {
      const occurrence = record(context, event, verdict, null);
      keepKeys(context, event, occurrence.id);
      return { occurrence, answer: refuse("overlap_skipped", { occurrence_id: occurrence.id }) };
    }
    case "duplicate":
      return repeat(context, event, verdict);
    case "started":
    case "queued":
      return start(context, event, verdict, asked);
  }
}

/** The same key gives the same answer: the run that came first, or the refusal that did. */
function repeat(
  context: AdmissionContext,
  event: Wake,
  verdict: Extract<AdmissionVerdict, { outcome: "duplicate" }>,
): Admitted {
  const occurrence = record(context, event, verdict, verdict.of.run_id);
  // The event is known by one of its keys: what comes again under the other key is the same event.
  for (const key of [event.dedupe_key, event.content_key]) {
    if (key !== null && context.occurrences.findKey(keyOf(event, key)) === null) {
      keepKey(context, event, key, verdict.of.id);
    }
  }
  const run = verdict.of.run_id === null ? null : context.runs.get(verdict.of.run_id);
  if (run === null) return { occurrence, answer: refuse("overlap_skipped", { occurrence_id: verdict.of.id }) };
  const first = { occurrence_id: verdict.of.id, run_id: run.id, session_id: run.sessionId, duplicate: true };
  return { occurrence, answer: success(first) };
}

function start(
  context: AdmissionContext,
  event: Wake,
  verdict: Extract<AdmissionVerdict, { outcome: "started" | "queued" }>,
  { coalescing, sessionId }: Asked,
): Admitted {
  const { engine, ids, tx } = context;
  const runId = ids.make("run", tx.nowMs);
  const told = coalescing === null ? verdict : ({ outcome: "queued", reason: "coalesced" } as const);
  const occurrence = record(context, event, told, runId);
  keepKeys(context, event, occurrence.id);
  const run = newRun(context, event, { runId, sessionId, occurrenceId: occurrence.id });
  const superseded = verdict.outcome === "queued" ? supersededBy(verdict.supersedes, context) : [];
  const isStarted = told.outcome === "started";
  engine.begin(
    tx,
    { run, text: event.text, checkout: event.checkout, isStarted, notBeforeMs: coalescing?.notBeforeMs ?? 0 },
    [
      { type: "run.queued", attempt: 1, summary: event.summary },
      // What a session goes on from has it already.
      ...(sessionId === null
        ? [{ type: "user.message", source: "routine", text: context.routine.definition.prompt } as const]
        : []),
      ...(event.text === null ? [] : [{ type: "user.message", source: "trigger", text: event.text } as const]),
    ],
  );
  for (const id of superseded) engine.feed(tx, id, { type: "cancel_requested", reason: "superseded" });
  const admission = { occurrence_id: occurrence.id, run_id: runId, session_id: run.session_id, duplicate: false };
  return { occurrence, answer: success(admission) };
}

/** Runs that wait for more events stay: each is for events that no other run is for. */
function supersededBy(which: Superseded, { runs, coalesced, tx }: AdmissionContext): string[] {
  if (which === "nobody") return [];
  const waiting = new Set(coalesced.waiting(tx.nowMs));
  const queued = runs.queue.queued().filter((id) => !waiting.has(id) && !isAPersons(runs.get(id)));
  return which === "queued" ? queued : [...queued, ...runs.queue.active()];
}

/** A run that a person talks to makes way for no event. */
function isAPersons(row: RunRow | null): boolean {
  return row !== null && (row.doc.trigger.type === "message" || row.before !== null);
}

function newRun(
  context: AdmissionContext,
  event: Wake,
  { runId, sessionId, occurrenceId }: { runId: string; sessionId: string | null; occurrenceId: string },
): QueuedRecord {
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
      occurrence_id: occurrenceId,
      summary: event.summary,
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

function record(
  context: AdmissionContext,
  event: Wake,
  verdict: { outcome: Outcome; reason: OutcomeReason },
  runId: string | null,
): Occurrence {
  const { routine, occurrences, ids, tx } = context;
  const occurrence: Occurrence = {
    id: ids.make("occurrence", tx.nowMs),
    routine_id: routine.id,
    at: timestamp(tx.nowMs),
    trigger: { type: event.type, id: triggerIdOf(routine, event), summary: event.summary, ...ledHere(event) },
    outcome: verdict.outcome,
    reason: verdict.reason,
    run_id: runId,
    ...retryOf(event),
    ...(event.again_of === undefined ? {} : { again_of: event.again_of }),
  };
  occurrences.insert(tx, occurrence, event);
  context.deadLetters.note(tx, occurrence, event);
  return occurrence;
}

/** Stored only where runs have led to the wake. */
function ledHere({ depth, woken_by }: Wake): { depth?: number; woken_by?: string } {
  return { ...(depth === 0 ? {} : { depth }), ...(woken_by === undefined ? {} : { woken_by }) };
}

function retryOf({ retry_of }: Wake): { retry_of?: string } {
  return retry_of === undefined ? {} : { retry_of };
}

function triggerIdOf(routine: RoutineRow, event: Wake): string | null {
  if (event.trigger_id !== null) return event.trigger_id;
  return routine.definition.triggers.find((trigger) => trigger.type === event.type)?.id ?? null;
}
