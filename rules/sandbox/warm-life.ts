/** The life of a container that is started before there is a lease for it, until it is given one. Pure. */
import { backoffMs } from "#rules/backoff.ts";

/** Moments are Unix milliseconds. */
export type WarmLife =
  /** Its start has been asked for, and is not asked for again. */
  | { state: "starting"; byMs: number }
  | { state: "ready" }
  /** A lease is being handed to it, and to no other container. */
  | { state: "given"; byMs: number }
  /** It has to go, and the pool has to be told. `reason`: what went wrong; null when nothing did. */
  | { state: "ending"; reason: string | null; tries: number };

export type WarmObservation =
  | { type: "start_failed"; reason: string }
  /** `isStartKnown`: whether the process that asked for the start still waits for it. */
  | { type: "looked"; isRunning: boolean; isStartKnown: boolean }
  /** Asked at its port, it says whether it is ready. Null when it does not answer. */
  | { type: "asked"; isReady: boolean | null }
  | { type: "given" }
  /** The lease could not be handed over, and the container has been ended. */
  | { type: "not_taken"; reason: string }
  | { type: "exited" }
  | { type: "kill" }
  /** The pool does not know the container, or does not want it any more. */
  | { type: "disowned" }
  | { type: "not_settled" };

/** How long a container may take until it is ready, once it has started. */
export const READY_WITHIN_MS = 60_000;
/** How long it may take to hand a lease to it: less than the pool waits for the answer. */
export const HAND_OVER_MS = 30_000;
const LOOK_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;

/** @returns null when the observation changes nothing. */
export function nextWarmLife(life: WarmLife, observation: WarmObservation, nowMs: number): WarmLife | null {
  if (life.state === "ending") {
    return observation.type === "not_settled" ? { ...life, tries: life.tries + 1 } : null;
  }
  switch (observation.type) {
    case "start_failed":
    case "not_taken":
      return ending(observation.reason);
    case "looked":
      return nextWhenLooked(life, observation, nowMs);
    case "asked":
      return nextWhenAsked(life, observation.isReady);
    case "given":
      return life.state === "ready" ? { state: "given", byMs: nowMs + HAND_OVER_MS } : null;
    case "exited":
      return ending("it ended while it waited");
    case "kill":
    case "disowned":
      return life.state === "given" ? null : ending(null);
    case "not_settled":
      return null;
  }
}

/** When the container has to be looked at again. @param tendMs how often one that is ready is. */
export function nextWarmLook(life: WarmLife, tendMs: number, nowMs: number): number {
  switch (life.state) {
    case "starting":
      return Math.min(life.byMs, nowMs + LOOK_MS);
    case "ready":
      return nowMs + tendMs;
    case "given":
      return life.byMs;
    case "ending":
      return nowMs + Math.min(LONGEST_RETRY_MS, backoffMs(life.tries + 1));
  }
}

type Living = Exclude<WarmLife, { state: "ending" }>;

function nextWhenLooked(
  life: Living,
  { isRunning, isStartKnown }: Extract<WarmObservation, { type: "looked" }>,
  nowMs: number,
): WarmLife | null {
  if (life.state !== "ready" && life.byMs <= nowMs) {
    return ending(life.state === "given" ? null : "it was not ready in time");
  }
  // Whoever hands a lease over learns by itself that the container is gone.
  if (isRunning || life.state === "given" || (life.state === "starting" && isStartKnown)) return null;
  return ending("it ended while it waited");
}

function nextWhenAsked(life: Living, isReady: boolean | null): WarmLife | null {
  if (life.state === "starting") return isReady === true ? { state: "ready" } : null;
  return life.state === "ready" && isReady !== true ? ending("it did not answer while it waited") : null;
}

function ending(reason: string | null): WarmLife {
  return { state: "ending", reason, tries: 0 };
}
