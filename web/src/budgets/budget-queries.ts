/** What is read of shared budgets and of runs that wait for one, and what can be done with budgets. */
import { queryOptions, useQueryClient } from "@tanstack/react-query";
import type { BudgetScope, SharedBudgetInput } from "#protocol/shared-budget.ts";
import * as api from "../client/generated.ts";
import { isPassing } from "../problem.ts";
import { useWrite } from "../write.ts";

/** Calls of runs that are on spend while the page is looked at. */
const SPENDING_MS = 10_000;
/** As many as one page of the API's has. */
const MOST_WAITING = 200;

/** All of them are on one page of the API's. */
export const budgetsQuery = queryOptions({
  queryKey: ["budgets", "all"],
  queryFn: async ({ signal }) => (await api.listBudgets({ signal })).data,
  refetchInterval: SPENDING_MS,
});

export const waitingForBudgetQuery = queryOptions({
  queryKey: ["budgets", "waiting"],
  queryFn: async ({ signal }) => {
    const { data, next_cursor } = await api.listRuns({ status: ["waiting"], limit: MOST_WAITING }, { signal });
    const runs = data.filter((run) => run.status === "waiting" && run.waiting.for === "budget");
    return { runs, hasMore: next_cursor !== null };
  },
  refetchInterval: SPENDING_MS,
});

/** Set again to the same it changes nothing, so it is repeated safely. */
export function useSetBudget() {
  return useBudgetCall((input: SharedBudgetInput) => api.setBudget(input));
}

export function useRemoveBudget() {
  return useBudgetCall((scope: BudgetScope) => api.removeBudget(scope));
}

function useBudgetCall<Given, Answer>(call: (given: Given) => Promise<Answer>) {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: call,
    retry: (failures, error) => isPassing(error) && failures < 2,
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["home"] });
      return queryClient.invalidateQueries({ queryKey: ["budgets"] });
    },
  });
}
