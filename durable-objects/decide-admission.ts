/** What becomes of an occurrence. Pure: the routine, its runs and the event in; the verdict out. */
import type { Overlap } from "#protocol/routine.ts";
import {
  IDEMPOTENCY_WINDOW_MS,
  type Occurrence,
  type OutcomeReason,
  type TriggerEvent,
} from "#protocol/trigger-event.ts";

/** How many runs may wait in one routine. */
export const QUEUE_LIMIT = 1_000;

export interface Waiting {
  id: string;
  notBeforeMs: number;
}

export interface AdmissionFacts {
  event: Pick<TriggerEvent, "type" | "fingerprint">;
  isPaused: boolean;
  hasModel: boolean;
  overlap: Overlap;
  maxConcurrent: number;
  /** What came under the same key before, if anything. */
  earlier: { occurrence: Occurrence; fingerprint: string; atMs: number } | null;
  /** Runs that hold a place, oldest first. */
  active: readonly string[];
  /** Runs that wait for one, oldest first. */
  queued: readonly Waiting[];
  nowMs: number;
}

export type AdmissionVerdict =
  | { outcome: "started"; reason: OutcomeReason }
  | { outcome: "queued"; reason: OutcomeReason; supersedes: readonly string[] }
  | { outcome: "duplicate"; reason: OutcomeReason; of: Occurrence }
  | { outcome: "skipped"; reason: OutcomeReason }
  | { outcome: "refused"; reason: "routine_paused" | "model_not_configured" | "idempotency_key_reused" }
  /** Too much at once: counted, and leaves no occurrence, so that a flood can't fill the storage. */
  | { outcome: "queue_full" };

export function decideAdmission(facts: AdmissionFacts): AdmissionVerdict {
  const { event, earlier, active, queued } = facts;
  if (earlier !== null && facts.nowMs - earlier.atMs < IDEMPOTENCY_WINDOW_MS) {
    return earlier.fingerprint === event.fingerprint
      ? { outcome: "duplicate", reason: "same_idempotency_key", of: earlier.occurrence }
      : { outcome: "refused", reason: "idempotency_key_reused" };
  }
  if (facts.isPaused && event.type !== "manual") return { outcome: "refused", reason: "routine_paused" };
  if (!facts.hasModel) return { outcome: "refused", reason: "model_not_configured" };

  const isFree = active.length < placesOf(facts) && !isAnyAhead(facts);
  if (isFree) return { outcome: "started", reason: "admitted" };
  const isFull = queued.length >= QUEUE_LIMIT;
  switch (facts.overlap) {
    case "parallel":
      return isFull ? { outcome: "queue_full" } : { outcome: "queued", reason: "at_max_concurrent", supersedes: [] };
    case "queue":
      return isFull ? { outcome: "queue_full" } : { outcome: "queued", reason: "overlap_queue", supersedes: [] };
    case "queue_latest":
      return { outcome: "queued", reason: "overlap_queue_latest", supersedes: idsOf(queued) };
    case "skip":
      return { outcome: "skipped", reason: "overlap_skip" };
    case "cancel_running":
      return { outcome: "queued", reason: "overlap_cancel_running", supersedes: [...idsOf(queued), ...active] };
  }
}

function idsOf(runs: readonly Waiting[]): string[] {
  return runs.map(({ id }) => id);
}

/** A retry before its time holds nobody up, unless the policy is about what has not ended at all. */
function isAnyAhead({ overlap, queued, nowMs }: AdmissionFacts): boolean {
  if (overlap !== "parallel" && overlap !== "queue") return queued.length > 0;
  return queued.some((run) => run.notBeforeMs <= nowMs);
}

/** How many runs of the routine may be on at once. */
export function placesOf(routine: { overlap: Overlap; maxConcurrent: number }): number {
  return routine.overlap === "parallel" ? routine.maxConcurrent : 1;
}

/** Which waiting runs start now, oldest first; a retry waits for its time without holding up the others. */
export function choosePromotions(facts: {
  overlap: Overlap;
  maxConcurrent: number;
  activeCount: number;
  queued: readonly Waiting[];
  nowMs: number;
}): string[] {
  const free = Math.max(0, placesOf(facts) - facts.activeCount);
  return facts.queued
    .filter((run) => run.notBeforeMs <= facts.nowMs)
    .slice(0, free)
    .map((run) => run.id);
}
