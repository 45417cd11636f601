/** The cache of what has been read from the instance, and when it is read again. */
import { QueryClient } from "@tanstack/react-query";
import { asProblem, isPassing } from "./problem.ts";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // A refusal stays a refusal; what did not get through is tried again, and whoever waits for what was not answered is asked.
      retry: (failures, error) => isPassing(error) && asProblem(error).type !== "unanswered" && failures < 2,
      // A call is made also when the browser believes itself offline: an instance may be on this machine.
      networkMode: "always",
    },
    mutations: {
      retry: false,
      networkMode: "always",
    },
  },
});
