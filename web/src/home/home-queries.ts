/** What the first page reads, and how often. */
import { queryOptions } from "@tanstack/react-query";
import * as api from "../client/generated.ts";

const ATTENTION_MS = 30_000;
const ROUTINES_MS = 15_000;
const ACTIVE_MS = 3_000;
const RESTING_MS = 10_000;
/** As many as one page of the API's has. */
const MOST_ROUTINES = 200;
const MOST_WAITING = 50;
const MOST_DEAD_LETTERS = 50;
const MOST_ACTIVE = 20;
const MOST_RECENT = 8;

/** What may need a person, beside the routines themselves. */
export const troublesQuery = queryOptions({
  queryKey: ["home", "troubles"],
  queryFn: async ({ signal }) => {
    const [waiting, deadLetters, pools, destinations, budgets] = await Promise.all([
      api.listRuns({ status: ["waiting"], limit: MOST_WAITING }, { signal }),
      api.listDeadLetters({ limit: MOST_DEAD_LETTERS }, { signal }),
      api.listPools({}, { signal }),
      api.listNotificationDestinations({ signal }),
      api.listBudgets({ signal }),
    ]);
    return {
      waiting: waiting.data,
      deadLetters: deadLetters.data,
      pools: pools.data,
      destinations: destinations.data,
      budgets: budgets.data,
    };
  },
  refetchInterval: ATTENTION_MS,
});

export const homeRoutinesQuery = queryOptions({
  queryKey: ["routines", "home"],
  queryFn: async ({ signal }) => (await api.listRoutines({ limit: MOST_ROUTINES }, { signal })).data,
  refetchInterval: ROUTINES_MS,
});

export const activeRunsQuery = queryOptions({
  queryKey: ["runs", "active"],
  queryFn: async ({ signal }) =>
    (await api.listRuns({ status: ["running", "starting", "queued"], limit: MOST_ACTIVE }, { signal })).data,
  refetchInterval: ({ state }) => ((state.data?.length ?? 0) > 0 ? ACTIVE_MS : RESTING_MS),
});

export const lastResultsQuery = queryOptions({
  queryKey: ["runs", "ended"],
  queryFn: async ({ signal }) =>
    (await api.listRuns({ status: ["succeeded", "failed", "timed_out", "canceled"], limit: MOST_RECENT }, { signal }))
      .data,
  refetchInterval: RESTING_MS,
});
