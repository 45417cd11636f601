/** What is read of environments, and what can be done with them. */

import { queryOptions, useQueryClient } from "@tanstack/react-query";
import * as api from "../client/generated.ts";
import { keepAnswer } from "../keep-answer.ts";
import { listQuery } from "../queries.ts";
import { useWrite } from "../write.ts";
import { changesOf, draftOfEnvironment, type EnvironmentDraft, tidied } from "./environment-words.ts";

const IDLE_MS = 15_000;

export function environmentsQuery() {
  return listQuery(
    ["environments"],
    (page, signal) => api.listEnvironments(page, { signal }),
    () => IDLE_MS,
  );
}

/** It is not read again by itself: what is being changed would change under the hands. */
export function environmentQuery(id: string) {
  return queryOptions({
    queryKey: ["environments", "one", id],
    queryFn: ({ signal }) => api.readEnvironment(id, { signal }),
    refetchOnWindowFocus: false,
  });
}

/** @param base the one that is changed; null for a new one. */
export function useSaveEnvironment(base: api.Environment | null) {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: async (draft: EnvironmentDraft) => {
      if (base === null) return await api.createEnvironment(tidied(draft));
      const changes = changesOf(draftOfEnvironment(base), tidied(draft));
      if (Object.keys(changes).length === 0) return base;
      return await api.changeEnvironment(base.id, { ...changes, if_revision: base.revision });
    },
    onSuccess: async (saved) => {
      await keepAnswer(queryClient, environmentQuery(saved.id).queryKey, saved);
      return queryClient.invalidateQueries({ queryKey: ["environments"], refetchType: "active" });
    },
  });
}

/** Takes it out of use, or brings it back. */
export function useArchiving(id: string) {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: (status: api.EnvironmentPatchStatus) => api.changeEnvironment(id, { status }),
    onSuccess: async (saved) => {
      await keepAnswer(queryClient, environmentQuery(id).queryKey, saved);
      return queryClient.invalidateQueries({ queryKey: ["environments"] });
    },
  });
}
