/** What becomes of a schedule's slots when the sweep comes: which start a run, and which were missed. Pure. */
import type { ScheduleTrigger } from "#protocol/triggers.ts";
import type { Chunk } from "./cron-times.ts";
import { jitterMs, slotChunks, type Timing } from "./schedule.ts";

/** The newest slot is on time when it is looked at within this time after it has come. */
export const ON_TIME_MS = 5 * 60_000;
/**
 * One look of the sweep may fail to come: the slots that it would have found are on time at the next one, if none is older
 * than this.
 */
export const LATE_LOOK_MS = 2 * 60_000;
/** How many missed slots `catch_up: all` makes up for. */
export const CATCH_UP_LIMIT = 24;
/** How many missed slots are listed one by one; older ones are told as a number. */
export const LISTED_LIMIT = 1_000;

export interface PlannedSlot {
  /** The scheduled instant, without jitter. */
  atMs: number;
  verdict: "due" | "catch_up" | "missed";
  /** Why a missed slot was missed; null for every other slot. */
  reason: "slot_missed" | "slot_superseded" | "catch_up_limit" | null;
}

export interface SlotPlan {
  /** Oldest first. */
  slots: PlannedSlot[];
  /** Missed slots older than those listed. */
  folded: { count: number; firstMs: number; lastMs: number } | null;
  /** The last slot of the plan; without any, what was claimed before. */
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
  const { listed, folded, nextMs } = collect(trigger, claimedUntilMs, nowMs - delayMs);
  const dueCount = folded === null ? countDue(listed, nowMs - delayMs) : countDue(listed.slice(-1), nowMs - delayMs);
  const missed = listed.slice(0, listed.length - dueCount);
  const surplus = missed.splice(0, Math.max(0, missed.length - LISTED_LIMIT));
  return {
    slots: [
      ...missed.map((atMs, at) => missedSlot(trigger.catch_up, atMs, missed.length - at, dueCount > 0)),
      ...listed.slice(listed.length - dueCount).map((atMs) => ({ atMs, verdict: "due" as const, reason: null })),
    ],
    folded: fold(folded, { baseMs: 0, times: surplus }),
    claimedUntilMs: listed.at(-1) ?? claimedUntilMs,
    lookAtMs: nextMs === null ? null : nextMs + delayMs,
  };
}

/**
 * How many slots, from the newest on, are on time. One at most where looks have failed to come: a slot that another has
 * followed since was missed, and `catch_up` says what becomes of it. @param slots oldest first.
 */
function countDue(slots: readonly number[], untilMs: number): number {
  const [oldest] = slots;
  const newest = slots.at(-1);
  if (oldest === undefined || newest === undefined) return 0;
  if (oldest > untilMs - LATE_LOOK_MS) return slots.length;
  return Number(newest >= untilMs - ON_TIME_MS);
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
      // With `catch_up: latest` one run is enough: a slot that is due is later than every missed one.
      return fromEnd === 1 && !isAnyDue ? caughtUp : { atMs, verdict: "missed", reason: "slot_superseded" };
    case "all":
      return fromEnd <= CATCH_UP_LIMIT ? caughtUp : { atMs, verdict: "missed", reason: "catch_up_limit" };
  }
}

/** The slots up to `untilMs` (inclusive): the newest one by one, those long before them as a number; and the next. */
function collect(trigger: PlannedTrigger, afterMs: number, untilMs: number) {
  const chunks: Chunk[] = [];
  let count = 0;
  let folded: SlotPlan["folded"] = null;
  let nextMs: number | null = null;
  for (const found of slotChunks(trigger, afterMs)) {
    const chunk = upTo(found, untilMs);
    const next = found.times[chunk.times.length];
    if (chunk.times.length > 0) chunks.push(chunk);
    count += chunk.times.length;
    // Slots before the newest thousand are only counted, by whole chunks.
    while (chunks[0] !== undefined && count - chunks[0].times.length > LISTED_LIMIT) {
      count -= chunks[0].times.length;
      folded = fold(folded, chunks.shift());
    }
    if (next !== undefined) {
      nextMs = found.baseMs + next;
      break;
    }
  }
  return { listed: chunks.flatMap(({ baseMs, times }) => times.map((time) => baseMs + time)), folded, nextMs };
}

/** The part of a chunk that is not after `untilMs`: the chunk itself when that is all of it. */
function upTo(chunk: Chunk, untilMs: number): Chunk {
  const { baseMs, times } = chunk;
  if (baseMs + (times.at(-1) ?? 0) <= untilMs) return chunk;
  return { baseMs, times: times.filter((time) => baseMs + time <= untilMs) };
}

function fold(before: SlotPlan["folded"], { baseMs, times }: Chunk = { baseMs: 0, times: [] }): SlotPlan["folded"] {
  const [first] = times;
  const last = times.at(-1);
  if (first === undefined || last === undefined) return before;
  const count = (before?.count ?? 0) + times.length;
  return { count, firstMs: before?.firstMs ?? baseMs + first, lastMs: baseMs + last };
}
