/** What becomes of a schedule's slots when the sweep comes: which start a run, and which were missed. Pure. */
import type { ScheduleTrigger } from "#protocol/triggers.ts";
import type { Chunk } from "./cron-times.ts";
import { jitterMs, nextSlots, slotChunks, type Timing } from "./schedule-rules.ts";

/** A slot that is looked at within this time has not been missed. */
export const ON_TIME_MS = 5 * 60_000;
/** How many missed slots `catch_up: all` makes up for. */
export const CATCH_UP_LIMIT = 24;
/** How many missed slots are listed one by one; older ones are told as a number. */
export const LISTED_LIMIT = 1_000;

export interface PlannedSlot {
  /** The scheduled instant, without jitter. */
  atMs: number;
  verdict: "due" | "catch_up" | "missed";
  /** Of a missed slot alone. */
  reason: "slot_missed" | "slot_superseded" | "catch_up_limit" | null;
}

export interface SlotPlan {
  /** Oldest first. */
  slots: PlannedSlot[];
  /** Missed slots older than those listed. */
  folded: { count: number; firstMs: number; lastMs: number } | null;
  /** The last slot that the plan speaks of, or what was claimed before. */
  claimedUntilMs: number;
  /** When the next slot comes, jitter included; null when none does. */
  lookAtMs: number | null;
}

type PlannedTrigger = Pick<ScheduleTrigger, "id" | "catch_up" | "jitter"> & Timing;

/**
 * Plans the slots after `claimedUntilMs` that have come by `nowMs`, each once over all plans that go on from each other.
 * Its work grows with the days since, not with the slots: a year of minutes is counted in milliseconds.
 */
export function planSlots(facts: { trigger: PlannedTrigger; claimedUntilMs: number; nowMs: number }): SlotPlan {
  const { trigger, claimedUntilMs, nowMs } = facts;
  const delayMs = jitterMs(trigger.id, trigger.jitter);
  const { listed, folded } = collect(trigger, claimedUntilMs, nowMs - delayMs);
  const missed = listed.filter((atMs) => atMs < nowMs - delayMs - ON_TIME_MS);
  const due = listed.slice(missed.length);
  const lastMs = listed.at(-1) ?? claimedUntilMs;
  const [nextMs] = nextSlots(trigger, lastMs, 1);
  return {
    slots: [
      ...missed.map((atMs, at) => missedSlot(trigger.catch_up, atMs, missed.length - at, due.length > 0)),
      ...due.map((atMs) => ({ atMs, verdict: "due" as const, reason: null })),
    ],
    folded,
    claimedUntilMs: lastMs,
    lookAtMs: nextMs === undefined ? null : nextMs + delayMs,
  };
}

/** @param fromEnd 1 for the newest of the missed. */
function missedSlot(
  catchUp: ScheduleTrigger["catch_up"],
  atMs: number,
  fromEnd: number,
  isAnyDue: boolean,
): PlannedSlot {
  const caughtUp: PlannedSlot = { atMs, verdict: "catch_up", reason: null };
  switch (catchUp) {
    case "none":
      return { atMs, verdict: "missed", reason: "slot_missed" };
    case "latest":
      // A slot that is due is the latest: one run is enough.
      return fromEnd === 1 && !isAnyDue ? caughtUp : { atMs, verdict: "missed", reason: "slot_superseded" };
    case "all":
      return fromEnd <= CATCH_UP_LIMIT ? caughtUp : { atMs, verdict: "missed", reason: "catch_up_limit" };
  }
}

/** The slots up to `untilMs` (inclusive): the newest one by one, the missed before them as a number. */
function collect(trigger: PlannedTrigger, afterMs: number, untilMs: number) {
  const isMissed = (atMs: number) => atMs < untilMs - ON_TIME_MS;
  const days: number[][] = [];
  let missedCount = 0;
  let folded: SlotPlan["folded"] = null;
  for (const chunk of slotChunks(trigger, afterMs)) {
    const slots = instantsUntil(chunk, untilMs);
    if (slots.length === 0) break;
    days.push(slots);
    missedCount += slots.filter(isMissed).length;
    // Whole days that can't be listed are let go of at once: months of minutes need no more memory than two days.
    while (days[0] !== undefined && missedCount - days[0].length >= LISTED_LIMIT) {
      missedCount -= days[0].length;
      folded = fold(folded, days.shift() ?? []);
    }
  }
  const rest = days.flat();
  const surplus = Math.max(0, missedCount - LISTED_LIMIT);
  return { listed: rest.slice(surplus), folded: fold(folded, rest.slice(0, surplus)) };
}

function instantsUntil({ baseMs, times }: Chunk, untilMs: number): number[] {
  return times.map((time) => baseMs + time).filter((atMs) => atMs <= untilMs);
}

function fold(before: SlotPlan["folded"], slots: number[]): SlotPlan["folded"] {
  const [firstMs] = slots;
  const lastMs = slots.at(-1);
  if (firstMs === undefined || lastMs === undefined) return before;
  return { count: (before?.count ?? 0) + slots.length, firstMs: before?.firstMs ?? firstMs, lastMs };
}
