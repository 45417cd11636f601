/** Ten thousand triggers of one minute: how long until each has been admitted, and what D1 reads for it. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type Occurrence, occurrenceSchema } from "#protocol/occurrence.ts";
import type { Figure, Row } from "../row.ts";
import { ask, makeRoutine } from "../support/reveille.ts";
import { type Served, serveCounting } from "../support/served.ts";
import { percentile } from "../support/statistics.ts";

const ROUTINES = 100;
const TRIGGERS = 100;
const AT_ONCE = 8;
/** To write the routines in: they must all be there before their minute. */
const PREPARATION_MS = 40_000;
const MINUTE_MS = 60_000;
const LONGEST_MS = 90_000;
const POLL_MS = 250;

const pageSchema = z.object({ data: z.array(occurrenceSchema) });
const countsSchema = z.record(z.string(), z.number());

/** Nobody works on the runs: five of each routine ask the pool for a runner, the others wait in their queues. */
export const clock: Row = {
  id: "clock",
  title: "10,000 triggers of 100 routines in one minute, among a million that are not due",
  baseline: "none",
  measure: async () => {
    await using served = await serveCounting();
    await ask(served, "POST", "/bench/due-rows", z.object({}), {});
    const slotMs = Math.ceil((Date.now() + PREPARATION_MS) / MINUTE_MS) * MINUTE_MS;
    const routines = await makeRoutines(served, slotMs);
    if (Date.now() > slotMs) throw new Error("the routines were not written in time for their minute");
    const before = await rowsRead(served);
    await delay(slotMs - Date.now());
    const lateness = await latenessOf(served, routines, slotMs);
    const read = (await rowsRead(served)) - before;
    const ms = { unit: "ms", baseline: null } as const;
    const rows = { unit: "rows", baseline: null } as const;
    return [
      { what: "until all are admitted", ...ms, ours: Math.max(...lateness), goal: { bound: "at most", value: 30_000 } },
      { what: "lateness, p50", ...ms, ours: percentile(lateness, 0.5), goal: null },
      { what: "lateness, p99", ...ms, ours: percentile(lateness, 0.99), goal: null },
      { what: "read in D1 for 100 due of 1,000,100", ...rows, ours: read, goal: { bound: "at most", value: 1_500 } },
      { what: "  for each due trigger", ...rows, ours: read / lateness.length, goal: null },
    ] satisfies Figure[];
  },
};

async function makeRoutines(served: Served, slotMs: number): Promise<string[]> {
  const at = new Date(slotMs).toISOString();
  const triggers = Array.from({ length: TRIGGERS }, () => ({ type: "schedule", at }));
  const ids: string[] = [];
  while (ids.length < ROUTINES) {
    const made = Array.from({ length: Math.min(AT_ONCE, ROUTINES - ids.length) }, () =>
      makeRoutine(served, { triggers }),
    );
    for (const { id } of await Promise.all(made)) ids.push(id);
  }
  return ids;
}

/** @returns how long after the slot each trigger was admitted. @throws Error when not each was, and once. */
async function latenessOf(served: Served, routines: readonly string[], slotMs: number): Promise<number[]> {
  const lateness: number[] = [];
  for (const id of routines) {
    const occurrences = await awaitOccurrences(served, id, slotMs + LONGEST_MS);
    const triggers = new Set(occurrences.map(({ trigger }) => trigger.id));
    const isAdmitted = occurrences.every(({ outcome }) => outcome === "started" || outcome === "queued");
    if (!isAdmitted || occurrences.length !== TRIGGERS || triggers.size !== TRIGGERS) {
      throw new Error(`${id}: ${occurrences.length} occurrences of ${triggers.size} triggers, or not all admitted`);
    }
    lateness.push(...occurrences.map(({ at }) => Date.parse(at) - slotMs));
  }
  return lateness;
}

async function awaitOccurrences(served: Served, id: string, deadlineMs: number): Promise<Occurrence[]> {
  for (;;) {
    const { data } = await ask(served, "GET", `/api/v1/routines/${id}/occurrences?limit=100`, pageSchema);
    if (data.length >= TRIGGERS || Date.now() > deadlineMs) return data;
    await delay(POLL_MS);
  }
}

async function rowsRead(served: Served): Promise<number> {
  const counts = await ask(served, "GET", "/bench/rows-read", countsSchema);
  return counts["due_routines"] ?? 0;
}
