/** What the page of a session reads beside the session itself and its runs. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Run } from "#protocol/run.ts";
import { listRuns, readSessionDiff } from "../client/generated.ts";

/** @param ended how many of its runs have ended: a run's changes are there when it has. */
export function sessionDiffQuery(id: string, ended: number) {
  return queryOptions({
    queryKey: ["session-diff", id, ended],
    queryFn: ({ signal }) => readSessionDiff(id, { signal }),
    placeholderData: keepPreviousData,
  });
}

/** How many of the runs that one has woken are shown. */
const WOKEN = 10;
/** A run is told of when it ends: what that wakes comes soon after. */
const WAKES_WITHIN_MS = 3_600_000;
/** Two routines' clocks may differ by a little. */
const CLOCKS_MS = 60_000;
const WOKEN_AGAIN_MS = 15_000;

/** The runs that this one has woken; none is looked for before it has ended. */
export function wokenRunsQuery({ id, timings: { finished_at: endedAt } }: Run) {
  const endedMs = endedAt === null ? 0 : Date.parse(endedAt);
  const untilMs = endedMs + WAKES_WITHIN_MS;
  return queryOptions({
    queryKey: ["woken-runs", id, endedAt],
    queryFn: ({ signal }) =>
      listRuns({ woken_by: id, from: toTime(endedMs - CLOCKS_MS), to: toTime(untilMs), limit: WOKEN }, { signal }),
    enabled: endedAt !== null,
    refetchInterval: () => (Date.now() < untilMs ? WOKEN_AGAIN_MS : false),
  });
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
