/** What is read of pools, and what can be done with them. */
import { useQueryClient } from "@tanstack/react-query";
import * as api from "../client/generated.ts";
import { listQuery } from "../queries.ts";
import { useWrite } from "../write.ts";

/** Runners come and go, and runs wait: it is looked at often. */
const LOOK_MS = 5_000;

export function poolsQuery() {
  return listQuery(
    ["pools"],
    (page, signal) => api.listPools(page, { signal }),
    () => LOOK_MS,
  );
}

/** A call that changes pools. */
export function usePoolCall<Given, Answer>(call: (given: Given) => Promise<Answer>) {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: call,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["pools"] }),
  });
}
