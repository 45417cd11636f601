/** What the menu changes of a session. */

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { Session } from "#protocol/session.ts";
import { changeSession, deleteSession, type SessionPatch } from "../../client/generated.ts";
import { keepAnswer } from "../../keep-answer.ts";
import { sessionQuery } from "../../queries.ts";
import { useWrite } from "../../write.ts";

export function useChangeSession(id: string) {
  const queries = useQueryClient();
  return useWrite({
    mutationFn: (change: SessionPatch) => changeSession(id, change),
    onSuccess: (changed) => keepAnswer(queries, sessionQuery(id).queryKey, changed),
  });
}

export function useDeleteSession({ id, routine_id: routineId }: Session) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useWrite({
    mutationFn: () => deleteSession(id),
    onSuccess: async () => {
      await navigate({ to: "/routines/$id", params: { id: routineId } });
      queries.removeQueries({ queryKey: sessionQuery(id).queryKey });
      void queries.invalidateQueries({ queryKey: ["runs"] });
      void queries.invalidateQueries({ queryKey: ["routine", routineId] });
    },
  });
}
