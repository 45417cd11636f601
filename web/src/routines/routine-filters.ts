/** Pure: what the list of routines is narrowed to, as its address names it and as the API is asked. */
import type { Routine } from "#protocol/routine.ts";
import { ROUTINE_STATUS_LABELS } from "../format/status.ts";

export interface RoutineFilters {
  search?: string;
  /** `team`, or `team:docs`. */
  tag?: string;
  status?: Routine["status"];
}

const TAG = /^[a-zA-Z0-9_.-]{1,64}(?::[^\n]{0,256})?$/;

export const ROUTINE_STATUS_OPTIONS = (["active", "paused"] as const).map((value) => ({
  value,
  text: ROUTINE_STATUS_LABELS[value].text,
}));

/** What an address says that is not known counts as not said. */
export function parseRoutineFilters(given: Record<string, unknown>): RoutineFilters {
  const { search, tag, status } = given;
  const knownStatus = ROUTINE_STATUS_OPTIONS.find(({ value }) => value === status)?.value;
  return {
    ...(typeof search === "string" && search.trim() !== "" ? { search: search.trim() } : {}),
    ...(typeof tag === "string" && TAG.test(tag) ? { tag } : {}),
    ...(knownStatus === undefined ? {} : { status: knownStatus }),
  };
}

/** The tags that the routines have, each with its value, in order. */
export function tagsOf(routines: readonly Pick<Routine, "tags">[]): string[] {
  return [
    ...new Set(routines.flatMap(({ tags }) => Object.entries(tags).map(([name, value]) => `${name}:${value}`))),
  ].sort();
}
