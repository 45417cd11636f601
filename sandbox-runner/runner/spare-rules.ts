/**
 * When a runner prepares another spare executor. Pure. All moments are by `performance.now()`: a machine's clock may be set back by days,
 * and nothing would be prepared for as long.
 */

export interface SpareState {
  /** How many are to be kept. */
  wanted: number;
  kept: number;
  /** One of those that are kept is not ready yet. */
  isPreparing: boolean;
  /** How many were lost one after the other before any got ready, and when the last was. */
  losses: number;
  lostAtMs: number;
  /** Since when the latest run is starting whose agent has not spoken yet; null when there is none. */
  startingSinceMs: number | null;
}

/** A run that is starting has the machine to itself for at most this long: it may be waiting for a clone, or a model. */
const YIELD_MS = 20_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** @returns from when on the next one may be prepared; null when none is to be. */
export function nextPreparation(state: SpareState): number | null {
  const { wanted, kept, isPreparing, losses, lostAtMs, startingSinceMs } = state;
  if (kept >= wanted || isPreparing) return null;
  const pauseMs = losses === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (losses - 1));
  return Math.max(lostAtMs + pauseMs, startingSinceMs === null ? 0 : startingSinceMs + YIELD_MS);
}

/** Whether all that can wait leaves the machine to a run that is starting. @param startingSinceMs see `SpareState`. */
export function isYielding(startingSinceMs: number | null, nowMs: number): boolean {
  return startingSinceMs !== null && nowMs < startingSinceMs + YIELD_MS;
}
