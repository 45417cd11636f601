/** Decides what becomes of a wake: it takes the routine, its runs and the wake, and gives the verdict. Pure. */

import {
  contentWindowMs,
  IDEMPOTENCY_WINDOW_MS,
  isByHand,
  type Occurrence,
  type OutcomeReason,
  type Wake,
} from "#protocol/occurrence.ts";
import type { Overlap } from "#protocol/routine.ts";

export interface Earlier {
  occurrence: Occurrence;
  fingerprint: string;
  atMs: number;
}

/** How many runs may wait in one routine. */
export const QUEUE_LIMIT = 1_000;

/**
 * How a session stands for what comes. `ended`: all its runs have. `open`: its newest run takes messages; `silent`: that run does
 * nothing until a message comes. `busy`: a run has not ended, and takes no message of an event at this moment.
 */
export type SessionState = "ended" | "open" | "silent" | "busy";

export interface AdmissionFacts {
  event: Pick<Wake, "type" | "fingerprint" | "retry_of" | "again_of" | "content_once">;
  isPaused: boolean;
  /** Whether it is paused because run after run has failed. */
  hasPausedItself: boolean;
  hasModel: boolean;
  /** Whether the routine's monthly budget is spent. */
  isBudgetSpent: boolean;
  overlap: Overlap;
  maxConcurrent: number;
  /** What came under the same key before, if anything. */
  earlier: Earlier | null;
  /** What came before under the second key, if anything. */
  alike: Earlier | null;
  /** How many runs hold a place. All that may start at this moment has started. */
  active: number;
  /** How many wait: for a place, for the time of their retry, or for more events. */
  queued: number;
  /** Of those, how many wait for more events: their first attempt has not begun, and they do not wait for a place yet. */
  coalescing: number;
  /** Whether the run is to wait for more events, whatever is free. */
  isCoalescing: boolean;
  /** Whether the routine has a session for each key: then `overlap` is about the runs of one session. */
  isKeyed: boolean;
  /** The session in which it is to go on; `new` for one of its own. */
  session: "new" | SessionState;
  /** What the routine's gate has said of it; `open` too where it is not asked. */
  gate: GateVerdict["is"];
  nowMs: number;
}

/** What a routine's gate says. `detail` tells the figures, or why it could not be asked. */
export interface GateVerdict {
  is: "open" | "closed" | "failed";
  detail: string;
}

/** Which runs make way for the new one: those that wait, or those that are on as well. */
export type Superseded = "nobody" | "queued" | "all";

export type AdmissionVerdict =
  | { outcome: "started"; reason: OutcomeReason }
  | { outcome: "queued"; reason: OutcomeReason; supersedes: Superseded }
  /** The session's newest run gets it as a message. */
  | { outcome: "given"; reason: "given_to_run" }
  | { outcome: "duplicate"; reason: OutcomeReason; of: Occurrence }
  | { outcome: "skipped"; reason: "overlap_skip" | "gate_closed" }
  | {
      outcome: "refused";
      reason:
        | "routine_paused"
        | "paused_after_failures"
        | "model_not_configured"
        | "budget"
        | "gate_failed"
        | "idempotency_key_reused";
    }
  /** Too much at once. A fire is told and counted, and leaves no occurrence, so that a flood of them can't fill the storage. */
  | { outcome: "queue_full" };

export function decideAdmission(facts: AdmissionFacts): AdmissionVerdict {
  const { event } = facts;
  const repeated = repeats(facts);
  if (repeated !== null) return repeated;
  if (facts.isPaused && !isByHand(event)) {
    return { outcome: "refused", reason: facts.hasPausedItself ? "paused_after_failures" : "routine_paused" };
  }
  if (!facts.hasModel) return { outcome: "refused", reason: "model_not_configured" };
  if (facts.isBudgetSpent) return { outcome: "refused", reason: "budget" };

  if (facts.gate === "failed") return { outcome: "refused", reason: "gate_failed" };
  if (facts.gate === "closed") return { outcome: "skipped", reason: "gate_closed" };

  const verdict = decidePlace(facts);
  if (verdict.outcome === "skipped" || verdict.outcome === "given") return verdict;
  const waits = verdict.outcome === "queued" || facts.isCoalescing;
  return waits && stays(verdict, facts) >= QUEUE_LIMIT ? { outcome: "queue_full" } : verdict;
}

type Place = Extract<AdmissionVerdict, { outcome: "started" | "queued" | "skipped" | "given" }>;

const STARTED = { outcome: "started", reason: "admitted" } as const;
const SESSION_BUSY = { outcome: "queued", reason: "session_busy", supersedes: "nobody" } as const;

function decidePlace(facts: AdmissionFacts): Place {
  const { event, session, active } = facts;
  const goesOn = session !== "new" && session !== "ended";
  // A person is answered in turn, whatever the policy for what comes by itself.
  if (event.type === "message" && goesOn) return SESSION_BUSY;
  if (facts.isKeyed && goesOn) return inSession(facts, session);
  const isFree = active < placesOf(facts) && !isAnyAhead(facts);
  if (isFree) return STARTED;
  return facts.isKeyed
    ? whileOthersAreOn("parallel")
    : whileOthersAreOn(event.type === "message" ? "queue" : facts.overlap);
}

/** A run of the key's session has not ended: two of one session are never on at once. */
function inSession({ overlap, isCoalescing }: AdmissionFacts, session: Exclude<SessionState, "ended">): Place {
  // Else a run that waits for a person to say something would hold up its key for ever.
  const isGiven = session === "silent" || (session === "open" && overlap === "parallel" && !isCoalescing);
  if (isGiven) return { outcome: "given", reason: "given_to_run" };
  return overlap === "parallel" || overlap === "queue" ? SESSION_BUSY : whileOthersAreOn(overlap);
}

function whileOthersAreOn(overlap: Overlap): Extract<AdmissionVerdict, { outcome: "queued" | "skipped" }> {
  switch (overlap) {
    case "parallel":
      return { outcome: "queued", reason: "at_max_concurrent", supersedes: "nobody" };
    case "queue":
      return { outcome: "queued", reason: "overlap_queue", supersedes: "nobody" };
    case "queue_latest":
      return { outcome: "queued", reason: "overlap_queue_latest", supersedes: "queued" };
    case "skip":
      return { outcome: "skipped", reason: "overlap_skip" };
    case "cancel_running":
      return { outcome: "queued", reason: "overlap_cancel_running", supersedes: "all" };
  }
}

/**
 * How many of those that wait stay, beside the new run: one that waits for more events of its own makes way for nobody, nor does
 * one of another session.
 */
function stays(verdict: AdmissionVerdict, { queued, coalescing, isKeyed }: AdmissionFacts): number {
  return !isKeyed && verdict.outcome === "queued" && verdict.supersedes !== "nobody" ? coalescing : queued;
}

/** The same key is a repeat for 24 hours, most bodies for minutes: after that the same may have happened again. */
function repeats({ event, earlier, alike, nowMs }: AdmissionFacts): AdmissionVerdict | null {
  if (earlier !== null && nowMs - earlier.atMs < IDEMPOTENCY_WINDOW_MS) {
    if (earlier.fingerprint !== event.fingerprint) return { outcome: "refused", reason: "idempotency_key_reused" };
    const reason = isByKey(event) ? "same_idempotency_key" : "same_delivery";
    return { outcome: "duplicate", reason, of: earlier.occurrence };
  }
  return alike !== null && nowMs - alike.atMs < contentWindowMs(event)
    ? { outcome: "duplicate", reason: "same_event", of: alike.occurrence }
    : null;
}

/** Whether the key is the caller's own; else it names a delivery. */
function isByKey(event: AdmissionFacts["event"]): boolean {
  return event.type === "api" || isByHand(event);
}

/**
 * Whether one that waits though a place is free, for the time of its retry, comes before the new run. `parallel` and `queue`
 * ask for places, and it holds none; the others ask whether anything has not ended, and it has not.
 */
function isAnyAhead({ overlap, queued, coalescing, isKeyed }: AdmissionFacts): boolean {
  return !isKeyed && overlap !== "parallel" && overlap !== "queue" && queued > coalescing;
}

/** How many runs of the routine may be on at once. */
export function placesOf(routine: { overlap: Overlap; maxConcurrent: number; isKeyed: boolean }): number {
  return routine.overlap === "parallel" || routine.isKeyed ? routine.maxConcurrent : 1;
}

/** How many runs may start, given how many are on; max_concurrent may have been lowered since they began. */
export function freePlaces(routine: Parameters<typeof placesOf>[0] & { active: number }): number {
  return Math.max(0, placesOf(routine) - routine.active);
}
