/** The life of one attempt's container: started once, watched, and ended once. Pure. */
import { backoffMs } from "#rules/backoff.ts";
import type { LeaseEnd } from "#rules/run/inputs.ts";
import { endOfStart } from "./start-failure.ts";

/** `declined`: the container has not started for want of room, and the lease may wait for it. */
export type ContainerEnd = LeaseEnd | "declined";

/** Moments are Unix milliseconds. */
export type ContainerLife =
  /** Its start has been asked for, and is not asked for again. */
  | { state: "starting"; byMs: number }
  /** `closelyUntilMs`: something has broken off, and it is looked at often until then. */
  | { state: "running"; isStopping: boolean; closelyUntilMs: number }
  /**
   * It has to go, and the pool has to be told of the end. `hasRun`: whether it may have run, and has to be paid for. `tries`: how often
   * all that did not go through.
   */
  | { state: "ending"; end: ContainerEnd; hasRun: boolean; tries: number };

export type ContainerObservation =
  | { type: "started" }
  | { type: "start_failed"; reason: string }
  /** `isStartKnown`: whether the process that asked for the start still waits for it. */
  | { type: "looked"; isRunning: boolean; isStartKnown: boolean }
  /** Its first process has said nothing to its run within `HELLO_WITHIN_MS`. */
  | { type: "speechless" }
  /** Its first process has ended by itself, and well. */
  | { type: "exited" }
  | { type: "link_closed" }
  | { type: "stop" }
  | { type: "kill" }
  /** The pool says that the lease is not this container's. */
  | { type: "disowned" }
  | { type: "not_settled" };

/** How long a container takes to start, in milliseconds: the first one after a deploy has to fetch its image. */
export const START_WITHIN_MS = { usually: 60_000, first: 180_000 } as const;
/** How long a container that has started may take to say hello to its run. */
export const HELLO_WITHIN_MS = 60_000;
/** How long a container is looked at closely after its link has closed: its end is noticed within this time. */
export const CLOSE_LOOK_MS = 15_000;
const LOOK_MS = { closely: 2_000, stopping: 500, starting: 5_000 } as const;
const LONGEST_RETRY_MS = 60_000;

/** @returns null when the observation changes nothing. */
export function nextLife(life: ContainerLife, observation: ContainerObservation, nowMs: number): ContainerLife | null {
  switch (life.state) {
    case "starting":
      return nextWhileStarting(life, observation, nowMs);
    case "running":
      return nextWhileRunning(life, observation, nowMs);
    case "ending":
      return observation.type === "not_settled" ? { ...life, tries: life.tries + 1 } : null;
  }
}

/** When the container has to be looked at again. @param tendMs how often one that works is. */
export function nextLook(life: ContainerLife, tendMs: number, nowMs: number): number {
  switch (life.state) {
    case "starting":
      return Math.min(life.byMs, nowMs + LOOK_MS.starting);
    case "running":
      if (life.isStopping) return nowMs + LOOK_MS.stopping;
      return nowMs + (life.closelyUntilMs > nowMs ? LOOK_MS.closely : tendMs);
    case "ending":
      return nowMs + Math.min(LONGEST_RETRY_MS, backoffMs(life.tries + 1));
  }
}

function nextWhileStarting(
  life: Extract<ContainerLife, { state: "starting" }>,
  observation: ContainerObservation,
  nowMs: number,
): ContainerLife | null {
  switch (observation.type) {
    case "started":
      return running(0);
    case "start_failed":
      return ending(endOfStart(observation.reason), false);
    case "looked":
      if (observation.isStartKnown) return life.byMs > nowMs ? null : ending("container_start_failed", false);
      // The object has left memory meanwhile: whether the container has ever run is not known.
      return observation.isRunning ? running(0) : ending("runner_lost");
    case "stop":
    case "kill":
    case "disowned":
      return ending("work_ended");
    default:
      return null;
  }
}

function nextWhileRunning(
  life: Extract<ContainerLife, { state: "running" }>,
  observation: ContainerObservation,
  nowMs: number,
): ContainerLife | null {
  switch (observation.type) {
    case "looked":
      if (observation.isRunning) return null;
      return ending(life.isStopping ? "work_ended" : "runner_lost");
    case "link_closed":
      return running(nowMs + CLOSE_LOOK_MS, life.isStopping);
    case "speechless":
      return ending(life.isStopping ? "work_ended" : "container_start_failed");
    case "stop":
      return life.isStopping ? null : running(life.closelyUntilMs, true);
    case "exited":
    case "kill":
    case "disowned":
      return ending("work_ended");
    default:
      return null;
  }
}

function running(closelyUntilMs: number, isStopping = false): ContainerLife {
  return { state: "running", isStopping, closelyUntilMs };
}

function ending(end: ContainerEnd, hasRun = true): ContainerLife {
  return { state: "ending", end, hasRun, tries: 0 };
}
