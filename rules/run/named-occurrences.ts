/** What a run says of the events that it is for. Pure. */
import type { ListedRun } from "#protocol/run.ts";

const NAMED_OCCURRENCES = 1_000;

/** @param depth the run is as deep as the deepest of its events, so that none can get around the limit on chains of runs. */
export function withOccurrence(
  trigger: ListedRun["trigger"],
  occurrenceId: string,
  depth: number,
): ListedRun["trigger"] {
  const named = [...(trigger.occurrence_ids ?? [trigger.occurrence_id]), occurrenceId].slice(-NAMED_OCCURRENCES);
  const deepest = Math.max(trigger.depth ?? 0, depth);
  return { ...trigger, occurrence_ids: named, ...(deepest === 0 ? {} : { depth: deepest }) };
}
