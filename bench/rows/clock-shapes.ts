/** One moment at which few or many routines come due, beside the least that a durable clock can be; and what a run costs. */
import { randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import { routineInputSchema } from "#protocol/routine.ts";
import type { Figure, Row } from "../row.ts";
import { compared, takeTurns } from "../support/interleave.ts";
import { idle, type Served, serveBare, serveCounting } from "../support/served.ts";
import { percentile } from "../support/statistics.ts";

interface Shape {
  routines: number;
  triggers: number;
  /** Whether the objects have left memory, as those of most routines have when their moment comes; else the last round has left them there. */
  isCold: boolean;
  goal: Figure["goal"];
}

const GOAL: Figure["goal"] = { bound: "at most", value: 3 };
const FILES_OF_AN_OBJECT = 3;
const OTHER_FILES = 500;
const SHAPES: readonly Shape[] = [
  { routines: 10, triggers: 100, isCold: false, goal: null },
  { routines: 1_000, triggers: 1, isCold: false, goal: GOAL },
  { routines: 1_000, triggers: 1, isCold: true, goal: GOAL },
  { routines: Math.min(10_000, mostAtOnce()), triggers: 1, isCold: true, goal: GOAL },
];
/** A round of so many takes a minute. */
const MANY = { routines: 5_000, rounds: 3 } as const;
/** An object leaves memory some ten seconds after its last call. */
const LEAVING_MS = 90_000;
const MADE_AT_ONCE = 500;
const POLL_MS = 25;
const LONGEST_MS = 120_000;
/** An hour, so that what a round takes never reaches the next one. */
const STEP_MS = 3_600_000;

const looksSchema = z.array(z.number());
const countsSchema = z.array(z.number());

interface Measured {
  /** From the beginning of the sweep until the last object had admitted what was due. */
  lastMs: number;
  p50Ms: number;
  /** Of workerd, for each trigger, until it had nothing left to do. */
  cpuMs: number;
}

/**
 * Both clocks are driven: a moment is told, so no real minute is waited for. Nobody works on the runs, all of which ask the
 * pool for a runner; what follows from a run is part of the time when it happens before the last is admitted.
 */
export const clockShapes: Row = {
  id: "clock-shapes",
  title: "routines × triggers that are due at one moment, until the last is admitted",
  baseline:
    "a bare object for each routine, which inserts a row for each trigger; and one that writes what ours writes",
  measure: async (rounds) => {
    const only = process.env["BENCH_CLOCK_SHAPE"];
    const figures: Figure[] = [];
    for (const shape of SHAPES) {
      const fewer = shape.routines < MANY.routines ? rounds : Math.min(rounds, MANY.rounds);
      if (only === undefined || only === nameOf(shape)) figures.push(...(await measureShape(shape, fewer)));
    }
    return figures;
  },
};

async function measureShape(shape: Shape, rounds: number): Promise<Figure[]> {
  await using served = await serveCounting();
  await using bare = await serveBare("clock");
  await using recorded = await serveBare("clock");
  const files = { ours: served.openFiles(), bare: bare.openFiles(), recorded: recorded.openFiles() };
  // What follows from runs may wait for a moment in which nothing else happens.
  const isAllDone = async () => (await get(served, "/bench/owed")) === 0;
  const firstMs = Math.ceil(Date.now() / STEP_MS) * STEP_MS;
  const ids = Array.from({ length: shape.routines }, () => newRoutineId());
  await makeAll(served, ids, shape);
  await makeAll(bare, ids, shape);
  await makeAll(recorded, ids, shape);
  const moments = { ours: 0, bare: 0, recorded: 0 };
  const next = async (name: keyof typeof moments, side: Served) => {
    if (shape.isCold) await allLeft(side, files[name] + shape.routines / 10);
    moments[name] += 1;
    return firstMs + moments[name] * STEP_MS;
  };
  const nothing = async () => true;
  const sides = await takeTurns(rounds, {
    ours: async () => tick(served, shape, { atMs: await next("ours", served), isRecorded: false }, isAllDone),
    bare: async () => tick(bare, shape, { atMs: await next("bare", bare), isRecorded: false }, nothing),
    recorded: async () => tick(recorded, shape, { atMs: await next("recorded", recorded), isRecorded: true }, nothing),
  });
  for (const side of [served, bare, recorded]) await check(side, ids, shape.triggers * (rounds + 1));
  const of = (pick: (one: Measured) => number) => compared({ ours: sides.ours, baseline: sides.bare }, pick);
  const ofRecorded = (pick: (one: Measured) => number) =>
    compared({ ours: sides.ours, baseline: sides.recorded }, pick);
  const name = nameOf(shape);
  return [
    { what: `${name}, until the last`, unit: "ms", ...of(({ lastMs }) => lastMs), goal: shape.goal },
    {
      what: `${name}, until the last, the same rows there`,
      unit: "ms",
      ...ofRecorded(({ lastMs }) => lastMs),
      goal: null,
    },
    { what: `${name}, p50`, unit: "ms", ...of(({ p50Ms }) => p50Ms), goal: null },
    { what: `${name}, processor time of a run`, unit: "ms", ...of(({ cpuMs }) => cpuMs), goal: null },
  ];
}

function nameOf({ routines, triggers, isCold }: Shape): string {
  return `${routines.toLocaleString("en")} × ${triggers}${isCold ? " opened" : ""}`;
}

/** How many objects can be in memory together, in thousands: a process may have so many files open, and no more. */
function mostAtOnce(): number {
  const [, hard = ""] = /^Max open files +\S+ +(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  const files = hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
  return Math.max(1, Math.floor((files - OTHER_FILES) / FILES_OF_AN_OBJECT / 1_000)) * 1_000;
}

/** Waits until the objects have left memory. @throws Error when they don't. */
async function allLeft(side: Served, files: number): Promise<void> {
  const deadline = Date.now() + LEAVING_MS;
  while (side.openFiles() > files) {
    if (Date.now() > deadline) throw new Error("the objects did not leave memory in time");
    await delay(POLL_MS);
  }
}

function newRoutineId(): string {
  const random = (bytes: Uint8Array<ArrayBuffer>) => randomFillSync(bytes);
  return new IdMaker(drawOwnerKey(random), random).make("routine", Date.now());
}

async function makeAll(side: Served, ids: readonly string[], { triggers }: Shape): Promise<void> {
  const input = routineInputSchema.parse({
    name: "bench",
    prompt: "Do the work.",
    max_concurrent: 100,
    triggers: Array.from({ length: triggers }, () => ({ type: "schedule", cron: "0 * * * *" })),
  });
  for (let first = 0; first < ids.length; first += MADE_AT_ONCE) {
    const some = ids.slice(first, first + MADE_AT_ONCE);
    await post(side, "/bench/routines", { ids: some, input, triggers });
  }
}

/** Tells a clock that a moment has come. @param isAllDone whether nothing is owed any more. */
async function tick(
  side: Served,
  { routines, triggers }: Shape,
  moment: { atMs: number; isRecorded: boolean },
  isAllDone: () => Promise<boolean>,
): Promise<Measured> {
  const cpuBefore = side.workerdCpuMs();
  const deadline = Date.now() + LONGEST_MS;
  await post(side, "/bench/tick", { ids: [], ...moment });
  for (;;) {
    const looks = looksSchema.parse(await get(side, "/bench/looks"));
    if (looks.length >= routines) {
      await allDone(side, isAllDone);
      const cpuMs = (side.workerdCpuMs() - cpuBefore) / (routines * triggers);
      return { lastMs: Math.max(...looks), p50Ms: percentile(looks, 0.5), cpuMs };
    }
    if (Date.now() > deadline) throw new Error(`${looks.length} of ${routines} objects were called in time`);
    await delay(POLL_MS);
  }
}

/** @throws Error when something is still owed after two minutes. */
async function allDone(side: Served, isAllDone: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + LONGEST_MS;
  do {
    await idle(side);
    if (Date.now() > deadline) throw new Error("what follows from the runs was not done in time");
  } while (!(await isAllDone()));
}

/** @throws Error when an object does not have a row for each trigger of each round, and no more. */
async function check(side: Served, ids: readonly string[], expected: number): Promise<void> {
  const counts = countsSchema.parse(await post(side, "/bench/admitted", { ids, atMs: 0 }));
  const wrong = counts.filter((count) => count !== expected);
  if (counts.length !== ids.length || wrong.length > 0) {
    throw new Error(
      `of ${ids.length} objects ${wrong.length} have not ${expected} rows but, for instance, ${wrong[0]}`,
    );
  }
}

async function post(side: Served, path: string, body: unknown): Promise<unknown> {
  return answerOf(path, await fetch(`${side.url}${path}`, { method: "POST", body: JSON.stringify(body) }));
}

async function get(side: Served, path: string): Promise<unknown> {
  return answerOf(path, await fetch(`${side.url}${path}`));
}

async function answerOf(path: string, response: Response): Promise<unknown> {
  if (response.ok) return response.json();
  throw new Error(`${path}: ${response.status} ${await response.text()}`);
}
