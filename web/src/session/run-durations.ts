/** Pure: where a run's time went. */
import type { ListedRun } from "#protocol/run.ts";

export interface Stretch {
  name: "In the queue" | "Getting ready" | "First words" | "At work";
  ms: number;
  /** It has not ended: `ms` is up to now. */
  isOn: boolean;
}

/** The stretches of a run's time that have begun, in order. */
export function runStretches({ timings }: ListedRun, nowMs: number): Stretch[] {
  const { queued_at, starting_at, running_at, first_event_at, finished_at } = timings;
  const bounds = [queued_at, starting_at, running_at, first_event_at];
  return NAMES.flatMap((name, index) => {
    const from = bounds[index];
    if (from === null || from === undefined) return [];
    // A run may end before it has come to the next stretch.
    const to = bounds.slice(index + 1).find((bound) => bound !== null) ?? finished_at;
    return [{ name, ms: Math.max(0, (to === null ? nowMs : Date.parse(to)) - Date.parse(from)), isOn: to === null }];
  });
}

/** From the moment when it was queued to its end, or to now. */
export function wholeDurationMs({ timings }: ListedRun, nowMs: number): number {
  return (timings.finished_at === null ? nowMs : Date.parse(timings.finished_at)) - Date.parse(timings.queued_at);
}

const NAMES = ["In the queue", "Getting ready", "First words", "At work"] as const;
