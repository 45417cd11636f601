/** What is read of dead letters, and how one is fired again. */
import { useQueryClient } from "@tanstack/react-query";
import * as api from "../client/generated.ts";
import { isPassing } from "../problem.ts";
import { listQuery } from "../queries.ts";
import { useWrite } from "../write.ts";

const IDLE_MS = 15_000;

export const LETTER_STATES = ["open", "fired", "all"] as const;
export type LetterState = (typeof LETTER_STATES)[number];

export function parseLetterState(value: unknown): { state?: LetterState } {
  const state = LETTER_STATES.find((one) => one === value);
  return state === undefined || state === "open" ? {} : { state };
}

export function deadLettersQuery(state: LetterState) {
  return listQuery(
    ["dead-letters", state],
    (page, signal) => api.listDeadLetters({ ...page, state }, { signal }),
    () => IDLE_MS,
  );
}

/** Fired twice, the instance answers with the same run: so it is repeated safely. */
export function useFireAgain(id: string) {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: () => api.fireDeadLetter(id),
    retry: (failures, error) => isPassing(error) && failures < 2,
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ["runs"] });
      return queryClient.invalidateQueries({ queryKey: ["dead-letters"] });
    },
  });
}
