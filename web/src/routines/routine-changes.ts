/** What can be done with a routine. */

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { pauseRoutine, type Routine, resumeRoutine, runRoutine } from "../client/generated.ts";
import { keepAnswer } from "../keep-answer.ts";
import { isPassing } from "../problem.ts";
import { routineQuery } from "../queries.ts";
import { useWrite } from "../write.ts";

/** Runs it and opens the session. The variable is the text for the agent; none when it is empty. */
export function useRunNow(id: string) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const start = useWrite({
    mutationFn: ({ text, key }: { text: string; key: string }) =>
      runRoutine(id, text === "" ? {} : { text }, { headers: { "idempotency-key": key } }),
    // What did not get through is repeated: under one key that starts one run.
    retry: (failures, error) => isPassing(error) && failures < 2,
    onSuccess: async ({ session_id }) => {
      void queryClient.invalidateQueries({ queryKey: ["routine", id] });
      void queryClient.invalidateQueries({ queryKey: ["runs"] });
      await navigate({ to: "/sessions/$id", params: { id: session_id } });
    },
  });
  return { ...start, run: (text: string) => start.mutate({ text, key: crypto.randomUUID() }) };
}

/** The variable is the reason; none when it is empty. */
export function usePause(id: string) {
  const onSuccess = useKeepRoutine(id);
  return useWrite({
    mutationFn: (reason: string) => pauseRoutine(id, reason.trim() === "" ? {} : { reason: reason.trim() }),
    onSuccess,
  });
}

export function useResume(id: string) {
  const onSuccess = useKeepRoutine(id);
  return useWrite({ mutationFn: () => resumeRoutine(id), onSuccess });
}

/** Shows the routine as the answer has it, without asking again. */
function useKeepRoutine(id: string) {
  const queryClient = useQueryClient();
  return async (routine: Routine) => {
    await keepAnswer(queryClient, routineQuery(id).queryKey, routine);
    void queryClient.invalidateQueries({ queryKey: ["routines"] });
  };
}
