/** How a routine is doing, from how its runs end. Pure. */
import type { SettledStatus } from "#protocol/run-states.ts";
import type { HealthChange } from "#protocol/triggers.ts";

/** Times are Unix milliseconds. */
export interface Health {
  /** So many runs in a row have failed or timed out. */
  failures: number;
  failingSince: number | null;
  succeededAt: number | null;
  /** From then on a success is awaited whenever a schedule comes. */
  watchedSince: number;
  quietSince: number | null;
}

export interface HealthStep {
  health: Health;
  /** What others are told; null for nothing. */
  change: HealthChange | null;
}

export function newHealth(nowMs: number): Health {
  return { failures: 0, failingSince: null, succeededAt: null, watchedSince: nowMs, quietSince: null };
}

/** A run has ended. One that was canceled tells nothing of how the routine is doing. */
export function afterRun(health: Health, status: SettledStatus, nowMs: number): HealthStep {
  switch (status) {
    case "canceled":
      return { health, change: null };
    case "succeeded": {
      const wasWell = health.failingSince === null && health.quietSince === null;
      return { health: { ...newHealth(nowMs), succeededAt: nowMs }, change: wasWell ? null : "recovered" };
    }
    case "failed":
    case "timed_out": {
      const { failures, failingSince } = health;
      const failing = { ...health, failures: failures + 1, failingSince: failingSince ?? nowMs };
      return { health: failing, change: failingSince === null ? "failing" : null };
    }
  }
}

/**
 * What is awaited of the routine has changed, or it goes on after a pause: failures are counted anew, and so is its silence. Of
 * what others have been told already they are told when a run has succeeded, and not before.
 */
export function watchedAnew(health: Health | null, nowMs: number): Health {
  return { ...(health ?? newHealth(nowMs)), failures: 0, watchedSince: nowMs };
}
