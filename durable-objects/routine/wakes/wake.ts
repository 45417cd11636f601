/** Takes in whatever wakes the routine: fires, events of sources, and scheduled instants. */

import type { Config } from "#instance/config.ts";
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import type { Result } from "#protocol/errors.ts";
import type { Gate } from "#protocol/gate.ts";
import type { IdMaker } from "#protocol/ids.ts";
import { type Admission, IDEMPOTENCY_WINDOW_MS, type Occurrence, type Wake } from "#protocol/occurrence.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import type { FilteredTrigger, Trigger } from "#protocol/triggers.ts";
import { type GateVerdict, QUEUE_LIMIT } from "#rules/admission.ts";
import { FilterBudget } from "#rules/filters/filter-budget.ts";
import { sessionKeyOf } from "#rules/routine/session-key.ts";
import { depthOf, type Judgement, judgeTrigger } from "#rules/triggers/judge-trigger.ts";
import { gateInForce, isSameGate } from "#rules/wake-gate/gate-in-force.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { RepositoryIds } from "../definition/repository-ids.ts";
import type { Budgets } from "../runs/budgets.ts";
import type { DeadLetters } from "../runs/dead-letters.ts";
import type { RunEngine } from "../runs/run-engine.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Steering } from "../runs/steering.ts";
import type { Given } from "../sessions/messages.ts";
import type { SessionKeys } from "../sessions/session-keys.ts";
import type { Tx } from "../work.ts";
import type { AdmissionContext } from "./admission-context.ts";
import { admit, NO_GATE, recordOnly } from "./admit.ts";
import { answerAgain } from "./answer-again.ts";
import { beginRun } from "./begin-run.ts";
import type { CoalescedRuns } from "./coalesced-runs.ts";
import type { GatedWake, GatedWakes } from "./gated-wakes.ts";
import { asOneTask } from "./joined-text.ts";
import type { OccurrenceStore } from "./occurrences.ts";
import { wokenBy } from "./record-occurrence.ts";
import type { RefusalCounts } from "./refusal-counts.ts";
import { coalesceOf, decide, OFFER, takeIn } from "./take-in.ts";
import { isRepeat } from "./wake-keys.ts";

interface WakesParts {
  config: Config;
  occurrences: OccurrenceStore;
  runs: RunStore;
  engine: RunEngine;
  ids: IdMaker;
  refusals: RefusalCounts;
  coalesced: CoalescedRuns;
  deadLetters: DeadLetters;
  budgets: Budgets;
  repositoryIds: RepositoryIds;
  steering: Steering;
  sessionKeys: SessionKeys;
  gated: GatedWakes;
}

/** What a gate has answered for a fire. */
export interface AskedGate {
  gate: Gate;
  answer: GateVerdict;
}

const OTHER_GATE: GateVerdict = { is: "failed", detail: "The gate was changed while it was asked." };
const WAITS_FOR_GATE = "The routine's gate is asked first: its occurrences tell what has come of it.";

export class Wakes {
  readonly #parts: WakesParts;

  constructor(parts: WakesParts) {
    this.#parts = parts;
  }

  /**
   * A fire, or a run by hand.
   * @param isRepeat whether the call is made again because its answer was lost: then it gets the first call's answer.
   * @param sessionId of the session in which it goes on; null for one of its own.
   * @param gate what the routine's gate has said, where it was asked.
   */
  fire(
    tx: Tx,
    routine: RoutineRow,
    event: Wake,
    isRepeat: boolean,
    sessionId: string | null = null,
    gate: AskedGate | null = null,
  ): Result<Admission> {
    const { refusals, occurrences } = this.#parts;
    const context = this.#context(tx, routine);
    const earlier = isRepeat && event.call_id !== undefined ? occurrences.ofCall(event.call_id) : null;
    if (earlier !== null) return answerAgain(context, event, earlier);
    const { answer } = admit(context, keyed(routine, event, null), null, sessionId, this.#stillSo(routine, gate));
    if (!answer.ok && answer.refusal.code === "queue_full") refusals.count("queue_full");
    return answer;
  }

  /** The gate may have become another while it was asked. */
  #stillSo(routine: RoutineRow, asked: AskedGate | null): GateVerdict {
    const now = gateInForce(routine);
    if (asked === null || now === null) return NO_GATE;
    return isSameGate(now, asked.gate) ? asked.answer : OTHER_GATE;
  }

  /** A person's message to a session of which no run takes it: a new run in that session. */
  intoSession(tx: Tx, routine: RoutineRow, sessionId: string, event: Wake): Result<Admission> {
    return admit(this.#context(tx, routine), event, null, sessionId).answer;
  }

  /** A scheduled instant has come. @param missed why it starts nothing; null when it is to start a run. */
  scheduled(
    tx: Tx,
    routine: RoutineRow,
    event: Wake,
    missed: "slot_missed" | "slot_superseded" | "catch_up_limit" | null,
  ): Occurrence | null {
    const context = this.#context(tx, routine);
    const slot = keyed(routine, event, null);
    if (missed !== null) return recordOnly(context, slot, { outcome: "missed", reason: missed });
    return takeIn(context, this.#parts.gated, slot);
  }

  /**
   * How many more may come and wait, where a routine has what comes wait; without a bound where nothing is refused for want
   * of room.
   */
  room({ definition }: RoutineRow): number {
    const { runs, gated } = this.#parts;
    const { overlap, session } = definition;
    const { count } = gated.waiting();
    // What comes after what waits for a gate waits with it, also where the gate was taken away.
    const isBehind = definition.gate !== null || count > 0;
    const doesWait = isBehind || session === "keyed" || overlap === "parallel" || overlap === "queue";
    const waiting = runs.queue.places().queued + count;
    return doesWait ? Math.max(0, QUEUE_LIMIT - waiting) : Number.POSITIVE_INFINITY;
  }

  /** A watch has seen an item that is new, or has changed. */
  watched(tx: Tx, routine: RoutineRow, event: Wake): void {
    takeIn(this.#context(tx, routine), this.#parts.gated, keyed(routine, event, null));
  }

  /** What was decided last on what a delivery has brought, by trigger; without triggers of which something waits still. */
  decidedOf(deliveryId: string): Occurrence[] {
    const { occurrences, gated } = this.#parts;
    const waiting = gated.triggersOf(deliveryId);
    const last = new Map(occurrences.ofDelivery(deliveryId).map((one) => [one.trigger.id, one]));
    return [...last.values()].filter(({ trigger }) => !waiting.includes(trigger.id));
  }

  /** The gate has answered for something that has waited for it. @param gate null where it is asked no more. */
  decideGated(tx: Tx, routine: RoutineRow, waited: GatedWake, gate: GateVerdict | null): void {
    decide(this.#context(tx, routine), this.#parts.gated, waited, gate);
  }

  /** The gate that a fire has to be let through; null where there is none, and for a repeat, which is answered as before. */
  gateOf(tx: Tx, routine: RoutineRow, event: Wake, isCallAgain: boolean): Gate | null {
    const { occurrences } = this.#parts;
    const gate = gateInForce(routine);
    if (gate === null || isRepeat({ occurrences, tx }, event)) return null;
    const isKnown = isCallAgain && event.call_id !== undefined && occurrences.ofCall(event.call_id) !== null;
    return isKnown ? null : gate;
  }

  /**
   * A run has ended without these events of its session, which were admitted: they have another.
   * @returns its id, and how many of them are its task; the others it has to be told.
   */
  goOn(
    tx: Tx,
    routine: RoutineRow,
    sessionId: string,
    given: readonly [Given, ...Given[]],
  ): { runId: string; told: number } {
    const [{ event: first }, ...more] = given;
    const { text, told } = asOneTask(given);
    const wake: Wake = {
      ...{ type: first.type, trigger_id: first.trigger_id, summary: first.summary, ...wokenBy(first.woken_by) },
      text,
      depth: Math.max(...given.map(({ event }) => event.depth)),
      checkout: given.findLast(({ event }) => event.checkout !== null)?.event.checkout ?? null,
      ...{ dedupe_key: null, content_key: null, fingerprint: "", request_id: null, delivery_id: null },
    };
    const runId = this.#parts.ids.make("run", tx.nowMs);
    const occurrenceIds = [first.occurrence_id, ...more.map(({ event }) => event.occurrence_id)] as const;
    const asked = { runId, sessionId, occurrenceIds, isStarted: false, notBeforeMs: 0 };
    beginRun(this.#context(tx, routine), wake, asked);
    return { runId, told };
  }

  /**
   * An event of a source.
   * @returns what each trigger that was looked at made of it, and whether the routine has learned a repository's number.
   */
  event(tx: Tx, routine: RoutineRow, event: SourceEvent): { outcomes: DeliveryOutcome[]; hasLearned: boolean } {
    let hasLearned = false;
    const outcomes = this.#judgeAll(routine, event).map(({ trigger, judgement }): DeliveryOutcome => {
      const { matched, why, filters, objection, repository } = judgement;
      const judged = { routine_id: routine.id, trigger_id: trigger.id, matched, why, filters };
      const from = event.github?.repository ?? null;
      if (from !== null && repository !== null) {
        hasLearned = this.#parts.repositoryIds.keep(tx, repository.place, from.id) || hasLearned;
      }
      if (!matched) return { ...judged, ...NOT_DECIDED };
      const context = this.#context(tx, routine);
      const fired = keyed(routine, wakeOf(trigger, event, repository?.url ?? null), event);
      const key = `${OFFER}${event.event_id}:${trigger.id}`;
      const under = coalesceOf(trigger, event, fired);
      const occurrence = this.#once(tx, key, () =>
        objection === null
          ? takeIn(context, this.#parts.gated, fired, under, key)
          : recordOnly(context, fired, objection),
      );
      return occurrence === null
        ? { ...judged, ...NOT_DECIDED, why: WAITS_FOR_GATE }
        : { ...judged, ...verdictOf(occurrence) };
    });
    return { outcomes, hasLearned };
  }

  /** Judges an event as `event` does, and writes nothing. */
  judge(routine: RoutineRow, event: SourceEvent): DeliveryOutcome[] {
    return this.#judgeAll(routine, event).map(({ trigger, judgement: { matched, why, filters, objection } }) => {
      const judged = { routine_id: routine.id, trigger_id: trigger.id, matched, why, filters };
      const { outcome, reason } = objection ?? { outcome: null, reason: null };
      return { ...judged, outcome, reason, occurrence_id: null, run_id: null };
    });
  }

  #judgeAll(routine: RoutineRow, event: SourceEvent): { trigger: FilteredTrigger; judgement: Judgement }[] {
    const { repositories, triggers } = routine.definition;
    const facts = { id: routine.id, repositories, repositoryIds: this.#parts.repositoryIds.all() };
    const budget = new FilterBudget();
    return triggers.filter(isFiltered).flatMap((trigger) => {
      const judgement = judgeTrigger(trigger, event, facts, budget);
      return judgement === null ? [] : [{ trigger, judgement }];
    });
  }

  /** Decides, or gives the decision of before: an event is given again when its answer was lost. */
  #once(tx: Tx, key: string, decide: () => Occurrence | null): Occurrence | null {
    const { occurrences, gated } = this.#parts;
    const earlier = occurrences.findKey(key);
    if (earlier !== null) return earlier.occurrence;
    if (gated.find(key) !== null) return null;
    const occurrence = decide();
    if (occurrence !== null) occurrences.keepKey(tx, key, "", occurrence.id, IDEMPOTENCY_WINDOW_MS);
    return occurrence;
  }

  #context(tx: Tx, routine: RoutineRow): AdmissionContext {
    const { config, gated: _gated, ...parts } = this.#parts;
    const { model, defaultModel } = config;
    return { ...parts, routine, model, defaultModel, tx };
  }
}

function isFiltered(trigger: Trigger): trigger is FilteredTrigger {
  return trigger.type !== "api" && trigger.type !== "schedule" && trigger.type !== "watch";
}

/** @param event of the source that has told of it; null where none has. What is given again has its key. */
function keyed({ definition }: RoutineRow, wake: Wake, event: SourceEvent | null): Wake {
  if (wake.type === "message" || wake.session_key !== undefined) return wake;
  const session_key = sessionKeyOf(definition, wake, event);
  return session_key === undefined ? wake : { ...wake, session_key };
}

function wakeOf(trigger: FilteredTrigger, event: SourceEvent, repositoryUrl: string | null): Wake {
  const { summary, context, dedupe_key, content_key, content_once, github } = event;
  // A webhook's key counts for its own trigger; an event that several triggers can match wakes the routine once.
  const scope = trigger.type === "webhook" ? `${trigger.id}:` : "";
  const checkout = github?.checkout ?? null;
  return {
    type: trigger.type,
    trigger_id: trigger.id,
    summary,
    text: context === "" ? null : context,
    dedupe_key: `${scope}${dedupe_key}`,
    content_key: content_key === null ? null : `${scope}${content_key}`,
    ...(content_once === true ? { content_once } : {}),
    fingerprint: "",
    depth: depthOf(event),
    ...(trigger.type === "routine" && event.caused_by !== null ? { woken_by: event.caused_by.run_id } : {}),
    request_id: null,
    delivery_id: event.delivery_id,
    checkout: checkout === null || repositoryUrl === null ? null : { ...checkout, repository: repositoryUrl },
  };
}

const NOT_DECIDED = { outcome: null, reason: null, occurrence_id: null, run_id: null };

function verdictOf(occurrence: Occurrence) {
  const { outcome, reason, id, run_id } = occurrence;
  return { outcome, reason, occurrence_id: id, run_id };
}
