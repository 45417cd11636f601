/** What the pages read, under which key, and how often it is read again. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Page } from "#protocol/api.ts";
import type { ListedRun } from "#protocol/run.ts";
import * as api from "./client/generated.ts";
import { isActiveStatus } from "./format/status.ts";
import type { RoutineFilters } from "./routines/routine-filters.ts";
import { type RunFilters, toRunQuery } from "./runs/run-filters.ts";

const PAGE_SIZE = 20;
/** While a run is on or waits. */
const ACTIVE_MS = 3_000;
/** While nothing is: something may fire at any time. */
const IDLE_MS = 15_000;

/** Figures of many runs change slowly. */
const STATS_MS = 60_000;

/** Which page of a list. */
interface PageOf {
  limit: number;
  cursor?: string;
}

type ReadPage<Item> = (page: PageOf, signal: AbortSignal) => Promise<Page<Item>>;
interface Pages<Item> {
  pages: Page<Item>[];
}

export function routinesQuery(filters: RoutineFilters) {
  return listQuery(
    ["routines", filters],
    (page, signal) => api.listRoutines({ ...filters, ...page }, { signal }),
    () => IDLE_MS,
  );
}

export function runsQuery(filters: RunFilters) {
  return listQuery(
    ["runs", filters],
    (page, signal) => api.listRuns({ ...toRunQuery(filters, Date.now()), ...page }, { signal }),
    runsInterval,
  );
}

export function routineQuery(id: string) {
  return queryOptions({
    queryKey: ["routine", id],
    queryFn: ({ signal }) => api.readRoutine(id, { signal }),
    refetchInterval: IDLE_MS,
  });
}

export function routineRunsQuery(id: string) {
  return listQuery(["routine", id, "runs"], (page, signal) => api.listRoutineRuns(id, page, { signal }), runsInterval);
}

/** Of the days that the API takes when none are named: the last 30. */
export function routineStatsQuery(id: string) {
  return queryOptions({
    queryKey: ["routine", id, "stats"],
    queryFn: ({ signal }) => api.readStats({ routine: id }, { signal }),
    refetchInterval: STATS_MS,
  });
}

export function occurrencesQuery(id: string) {
  return listQuery(
    ["routine", id, "occurrences"],
    (page, signal) => api.listOccurrences(id, page, { signal }),
    () => IDLE_MS,
  );
}

export function revisionsQuery(id: string) {
  return listQuery(
    ["routine", id, "revisions"],
    (page, signal) => api.listRevisions(id, page, { signal }),
    () => IDLE_MS,
  );
}

export function githubAppQuery() {
  return queryOptions({ queryKey: ["github-app"], queryFn: ({ signal }) => api.readGithubApp({ signal }) });
}

export function runQuery(id: string) {
  return queryOptions({ queryKey: ["run", id], queryFn: ({ signal }) => api.readRun(id, { signal }) });
}

export function sessionQuery(id: string) {
  return queryOptions({ queryKey: ["session", id], queryFn: ({ signal }) => api.readSession(id, { signal }) });
}

/** A list, page by page; the more of it is shown, the more seldom all of it is read again. */
export function listQuery<Item>(
  key: readonly unknown[],
  readPage: ReadPage<Item>,
  interval: (list: Pages<Item> | undefined) => number,
) {
  return infiniteQueryOptions({
    queryKey: [...key, "list"],
    queryFn: ({ pageParam, signal }) =>
      readPage(pageParam === null ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    refetchInterval: ({ state }) => interval(state.data) * (state.data?.pages.length ?? 1),
  });
}

function runsInterval(list: Pages<ListedRun> | undefined): number {
  const isActive = list?.pages.some((page) => page.data.some((run) => isActiveStatus(run.status))) ?? false;
  return isActive ? ACTIVE_MS : IDLE_MS;
}
