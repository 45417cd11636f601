/** Keeps a program running: waits until it is ready, watches its health, and starts it again when it dies. */
import { setTimeout as delay } from "node:timers/promises";
import type { Program } from "#scripts/child-process.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { type HealthMark, isGone, nextHealth, restartPauseMs } from "./supervision-rules.ts";

const HEALTH_INTERVAL_MS = 500;

export interface SupervisedProgram {
  /** For people: "worker", "runner". */
  name: string;
  start: () => Program;
  /** Resolves with true once the program that was just started serves; with false when it will not. */
  ready: (signal: AbortSignal) => Promise<boolean>;
  /** One look from outside; absent for a program of which only the process can be watched. */
  look?: (signal: AbortSignal) => Promise<HealthMark>;
  stopGraceMs: number;
  startDeadlineMs: number;
  /** A line for the person at the terminal. */
  say: (line: string) => void;
}

export interface Supervision {
  /** Ends the program for good: SIGTERM, then after the grace SIGKILL. */
  stop: (graceMs: number) => Promise<void>;
}

/**
 * Resolves when the program is ready for the first time, or has failed to become so; then it is not tried again.
 * @param startSignal gives the start up.
 */
export async function supervise(program: SupervisedProgram, startSignal: AbortSignal): Promise<Outcome<Supervision>> {
  const stopping = new AbortController();
  const first = startOnce(program, startSignal);
  let current = first.process;
  if (!(await first.ready)) {
    await current.stop(program.stopGraceMs);
    return failed(`The ${program.name} did not start.`);
  }
  const loop = keepRunning(program, first.process, stopping.signal, (next) => {
    current = next;
  });
  return succeeded({
    stop: async (graceMs) => {
      stopping.abort();
      await current.stop(graceMs);
      await loop;
    },
  });
}

async function keepRunning(
  program: SupervisedProgram,
  first: Program,
  stopping: AbortSignal,
  onStart: (process: Program) => void,
): Promise<void> {
  let running = first;
  let startedAt = Date.now();
  let quickDeaths = 0;
  let isReady = Promise.resolve(true);
  while (true) {
    const how = await endOf(program, running, isReady, stopping);
    // What outlives the head of the group holds ports and files that the next one needs.
    running.kill();
    await running.ended;
    if (stopping.aborted) return;
    quickDeaths = Date.now() - startedAt < 10_000 ? quickDeaths + 1 : 0;
    const pauseMs = restartPauseMs(quickDeaths);
    program.say(`The ${program.name} ${how}; starting it again.`);
    if (pauseMs > 0) await delay(pauseMs, undefined, { signal: stopping }).catch(() => undefined);
    if (stopping.aborted) return;
    const next = startOnce(program, stopping);
    running = next.process;
    isReady = next.ready;
    startedAt = Date.now();
    onStart(running);
    const isBack = await next.ready;
    if (isBack) program.say(`The ${program.name} is back.`);
    else running.kill();
  }
}

/** Starts the program; `ready` is settled by its readiness, its end or the deadline, whichever comes first. */
function startOnce(program: SupervisedProgram, stopping: AbortSignal): { process: Program; ready: Promise<boolean> } {
  const process = program.start();
  const settled = new AbortController();
  const signal = AbortSignal.any([stopping, settled.signal, AbortSignal.timeout(program.startDeadlineMs)]);
  const ready = Promise.race([
    program.ready(signal).catch(() => false),
    process.ended.then(() => false),
    aborted(signal).then(() => false),
  ]).finally(() => settled.abort());
  return { process, ready };
}

/** Waits for the end of the program, or brings it about when its health is gone. @returns what happened, for people. */
async function endOf(
  program: SupervisedProgram,
  process: Program,
  isReady: Promise<boolean>,
  stopping: AbortSignal,
): Promise<string> {
  const over = new AbortController();
  const ended = process.ended.then((how) => `has ended (${how})`).finally(() => over.abort());
  if (program.look === undefined || !(await isReady)) return await ended;
  const signal = AbortSignal.any([stopping, over.signal]);
  return await Promise.race([ended, watchHealth(program.look, signal).then(() => "does not answer")]);
}

/** Resolves when the program has been unhealthy for too long; never after `signal`. */
async function watchHealth(look: (signal: AbortSignal) => Promise<HealthMark>, signal: AbortSignal): Promise<void> {
  let health = nextHealth(null, "answers", Date.now());
  while (!isGone(health, Date.now())) {
    await delay(HEALTH_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    const mark = signal.aborted ? "answers" : await look(signal);
    if (signal.aborted) return await new Promise(() => undefined);
    health = nextHealth(health, mark, Date.now());
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
