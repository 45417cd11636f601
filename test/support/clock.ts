/** The clock of the tests: time passes when they say so, and what the sweep sends arrives when they say so. */
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { NoAnswer } from "#instance/in-time.ts";
import type { Page } from "#protocol/api.ts";
import { timeOf } from "#protocol/ids.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import type { ClockMessage } from "#worker/bindings.ts";
import { lookAt } from "#worker/clock/look-at.ts";
import { sweep } from "#worker/clock/sweep.ts";
import { type Deps, depsOf } from "#worker/deps.ts";
import { makeDeliveryId } from "#worker/inbound/delivery-ids.ts";
import { call } from "./api.ts";

export function realDeps(): Deps {
  const made = depsOf(env);
  if (!made.ok) throw new Error(JSON.stringify(made.refusal));
  return made.deps;
}

/** @param time RFC 3339. */
export function passTo(time: string): void {
  vi.setSystemTime(Date.parse(time));
}

/** @returns what a sweep at this time sends to the queue when it reaches no object itself, because it has come due. */
export function sweptAt(time: string): Promise<ClockMessage[]> {
  return sentAt(time, { ...realDeps().due, unsettled: async () => [] }, { ownerOf: outOfReach });
}

/** @returns what a sweep at this time sends to the objects, because they have runs that have not settled. */
export function wokenAt(time: string): Promise<ClockMessage[]> {
  return sentAt(time, { ...realDeps().due, due: async () => [] });
}

async function sentAt(time: string, due: Deps["due"], others: Partial<Deps> = {}): Promise<ClockMessage[]> {
  passTo(time);
  const sent: ClockMessage[] = [];
  const sendDue = async (messages: readonly ClockMessage[]) => void sent.push(...messages);
  await sweep({ ...realDeps(), ...others, due, sendDue }, Date.now());
  return sent;
}

/** In place of `ownerOf`: the sweep gets no answer from any object. */
export function outOfReach(): ReturnType<Deps["ownerOf"]> {
  throw new NoAnswer("no object is reached");
}

/** A whole minute: the sweep, which asks the objects, and what it leaves to the queue. */
export async function tick(time: string): Promise<void> {
  await lookAt(realDeps(), await sentAt(time, { ...realDeps().due, unsettled: async () => [] }));
}

/** All of a routine's, oldest first. */
export async function occurrencesOf(routineId: string): Promise<Occurrence[]> {
  const all: Occurrence[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/api/v1/routines/${routineId}/occurrences?limit=100${query}`;
    const { body }: { body: Page<Occurrence> } = await call<Page<Occurrence>>("GET", path);
    all.push(...body.data);
    cursor = body.next_cursor;
  }
  return all.reverse();
}

/** What became of a routine's times, for instance `started admitted: Scheduled for 23 Nov 2026, 10:00 (UTC)`. */
export async function toldOf(routineId: string): Promise<string[]> {
  const all = await occurrencesOf(routineId);
  return all.map(({ outcome, reason, trigger }) => `${outcome} ${reason}: ${trigger.summary}`);
}

/** How many of each outcome and reason. */
export async function countsOf(routineId: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { outcome, reason } of await occurrencesOf(routineId)) {
    const key = `${outcome} ${reason}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** When D1 has the sweep look at a routine; null when never. */
export async function dueRowOf(routineId: string): Promise<string | null> {
  const row = await env.DB.prepare("SELECT due_at FROM due_routines WHERE routine_id = ?")
    .bind(routineId)
    .first<{ due_at: number }>();
  return row === null ? null : new Date(row.due_at).toISOString();
}

/**
 * A whole hour after every delivery so far, in Unix milliseconds. The ids of deliveries never go back in time within one
 * isolate: where their age counts, a test sets the clock to such a moment, not to a date.
 */
export function hourAfterAllDeliveries(): number {
  const hourMs = 3_600_000;
  return (Math.floor(timeOf(makeDeliveryId(Date.now())) / hourMs) + 1) * hourMs;
}
