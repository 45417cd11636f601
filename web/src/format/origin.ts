/** Pure: where a run or an occurrence came from, beside its trigger. Pages of runs need this, and no words about triggers. */
import type { Run } from "#protocol/run.ts";
import { plural } from "./amounts.ts";

/** What is known of where a run or an occurrence came from, beside its trigger. */
export function originTerms({
  depth = 0,
  occurrence_ids = [],
}: Pick<Run["trigger"], "type" | "depth" | "occurrence_ids">): string[] {
  return [
    ...(occurrence_ids.length > 1 ? [plural(occurrence_ids.length, "event")] : []),
    ...(depth > 0 ? [`after ${plural(depth, "other run")}`] : []),
  ];
}
