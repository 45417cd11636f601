/** The one way to a run: reads, decides and inserts without waiting in between. */

import { type Result, refuse, success } from "#protocol/errors.ts";
import {
  type Admission,
  isByHand,
  type Occurrence,
  type Outcome,
  type OutcomeReason,
  type Wake,
} from "#protocol/occurrence.ts";
import { type AdmissionVerdict, decideAdmission, type GateVerdict, type Superseded } from "#rules/admission.ts";
import { withOccurrence } from "#rules/run/named-occurrences.ts";
import type { RunRow } from "../runs/run-store.ts";
import type { AdmissionContext } from "./admission-context.ts";
import { beginRun } from "./begin-run.ts";
import { record, triggerIdOf, wokenBy } from "./record-occurrence.ts";
import { keepKey, keepKeys, keyOf } from "./wake-keys.ts";

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
  /** Of the session in which it goes on; null for one of its own. */
  sessionId: string | null;
  gate: GateVerdict;
}

/** Where no gate is asked. */
export const NO_GATE: GateVerdict = { is: "open", detail: "" };

/**
 * Decides on an event and writes everything that follows from it.
 * @param coalescing when the run is to wait for more events like this.
 * @param intoSession of the session into which a person speaks; null for what goes by its key, or into one of its own.
 * @param gate what the routine's gate has said.
 */
export function admit(
  context: AdmissionContext,
  event: Wake,
  coalescing: Coalescing | null = null,
  intoSession: string | null = null,
  gate: GateVerdict = NO_GATE,
): Admitted {
  const { routine, occurrences, runs } = context;
  const { nowMs } = context.tx;
  // Gives places to waiting runs first, in case the alarm that would have done so is late: else one of them would be
  // superseded.
  context.engine.promote(context.tx);
  const { active, queued } = runs.queue.places();
  const find = (key: string | null) => (key === null ? null : occurrences.findKey(keyOf(event, key)));
  const sessionId = intoSession ?? sessionOf(context, event);
  const { overlap, max_concurrent: maxConcurrent } = routine.definition;
  const verdict = decideAdmission({
    event,
    isPaused: routine.status === "paused",
    hasPausedItself: routine.pausedBy === "failures",
    hasModel: context.model.kind !== "none",
    isBudgetSpent: context.budgets.spentForMonth(nowMs) !== null,
    overlap,
    maxConcurrent,
    earlier: find(event.dedupe_key),
    alike: find(event.content_key),
    active,
    queued,
    coalescing: queued === 0 ? 0 : context.coalesced.waiting(nowMs).length,
    isCoalescing: coalescing !== null,
    isKeyed: routine.definition.session === "keyed",
    session: sessionId === null ? "new" : context.steering.stateFor(sessionId, event.text),
    gate: gate.is,
    nowMs,
  });
  return carryOut(context, event, verdict, { coalescing, sessionId, gate });
}

/** The session that has the event's key. */
function sessionOf({ sessionKeys }: AdmissionContext, { session_key: made }: Wake): string | null {
  return made !== undefined && "key" in made ? sessionKeys.find(made.key) : null;
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
      const occurrence = record(context, event, { ...verdict, ...gateDetail(verdict, asked) }, null);
      const details = { occurrence_id: occurrence.id, ...reasonOf(occurrence), ...retryAfter(verdict.reason) };
      return { occurrence, answer: refuse(verdict.reason, details) };
    }
    case "skipped": {
      const occurrence = record(context, event, { ...verdict, ...gateDetail(verdict, asked) }, null);
      keepKeys(context, event, occurrence.id);
      return { occurrence, answer: refuseSkipped(occurrence) };
    }
    case "given":
      return give(context, event, verdict, asked);
    case "duplicate":
      return repeat(context, event, verdict);
    case "started":
    case "queued":
      return start(context, event, verdict, asked);
  }
}

/** What could not be asked may be asked in a moment. */
export function retryAfter(reason: OutcomeReason): { retry_after_s?: number } {
  return reason === "gate_failed" ? { retry_after_s: 5 } : {};
}

/** What the gate has found, where it has decided. */
function gateDetail({ reason }: { reason: OutcomeReason }, { gate }: Asked): { detail?: string } {
  if (reason === "gate_closed") return { detail: `${GATE_CLOSED}${gate.detail}` };
  return reason === "gate_failed" ? { detail: `${GATE_FAILED}${gate.detail}` } : {};
}

const GATE_CLOSED = "The gate is closed: ";
const GATE_FAILED = "The gate could not be asked: ";

/** More of a refusal, in words that follow its own: a part of a sentence. */
export function reasonOf({ detail }: Occurrence): { reason?: string } {
  if (detail === undefined) return {};
  const said = [GATE_CLOSED, GATE_FAILED].find((words) => detail.startsWith(words)) ?? "";
  return { reason: detail.slice(said.length).replace(/\.$/, "") };
}

/** The answer to whoever fires what has been skipped, now or before. */
export function refuseSkipped(occurrence: Occurrence) {
  const code = occurrence.reason === "gate_closed" ? occurrence.reason : "overlap_skipped";
  return refuse(code, { occurrence_id: occurrence.id, ...reasonOf(occurrence) });
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
  if (run === null) return { occurrence, answer: refuseSkipped(verdict.of) };
  const first = { occurrence_id: verdict.of.id, run_id: run.id, session_id: run.sessionId, duplicate: true };
  return { occurrence, answer: success(first) };
}

/** The newest run of the key's session has not ended: it is for this event too. */
function give(
  context: AdmissionContext,
  event: Wake,
  verdict: Extract<AdmissionVerdict, { outcome: "given" }>,
  { sessionId }: Asked,
): Admitted {
  const { runs, engine, steering, routine, tx } = context;
  const row = sessionId === null ? null : runs.newest(sessionId);
  if (row === null) throw new Error("an event is given to a session that has no run");
  const occurrence = record(context, event, { outcome: "queued", reason: verdict.reason }, row.id);
  keepKeys(context, event, occurrence.id);
  const { type, summary, depth, woken_by, checkout, text } = event;
  const given = { type, trigger_id: triggerIdOf(routine, event), summary, depth, checkout, ...wokenBy(woken_by) };
  engine.name(tx, row, withOccurrence(row.doc.trigger, occurrence.id, depth));
  steering.give(tx, row.id, {
    sessionId: row.sessionId,
    text: text ?? "",
    event: { ...given, occurrence_id: occurrence.id },
  });
  const admission = { occurrence_id: occurrence.id, run_id: row.id, session_id: row.sessionId, duplicate: false };
  return { occurrence, answer: success(admission) };
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
  const superseded = verdict.outcome === "queued" ? supersededBy(verdict.supersedes, context, sessionId) : [];
  const run = beginRun(context, event, {
    runId,
    sessionId,
    occurrenceIds: [occurrence.id],
    isStarted: told.outcome === "started",
    notBeforeMs: coalescing?.notBeforeMs ?? 0,
  });
  for (const id of superseded) engine.feed(tx, id, { type: "cancel_requested", reason: "superseded" });
  const admission = { occurrence_id: occurrence.id, run_id: runId, session_id: run.session_id, duplicate: false };
  return { occurrence, answer: success(admission) };
}

/**
 * Runs that wait for more events stay: each is for events that no other run is for.
 * @param sessionId of the session whose runs alone make way; null where the routine's do.
 */
function supersededBy(
  which: Superseded,
  { runs, coalesced, tx }: AdmissionContext,
  sessionId: string | null,
): string[] {
  if (which === "nobody") return [];
  const isMeant = (id: string) => sessionId === null || runs.get(id)?.sessionId === sessionId;
  const waiting = new Set(coalesced.waiting(tx.nowMs));
  const queued = runs.queue.queued().filter((id) => !waiting.has(id) && isMeant(id) && !isAPersons(runs.get(id)));
  if (which === "queued") return queued;
  // One that waits for a person holds no place, and would hold up its session.
  const on = sessionId === null ? runs.queue.active() : [...runs.queue.active(), ...runs.queue.waiting()];
  return [...queued, ...on.filter(isMeant)];
}

/** A run that a person talks to makes way for no event. */
function isAPersons(row: RunRow | null): boolean {
  return row !== null && (row.doc.trigger.type === "message" || row.before !== null);
}
