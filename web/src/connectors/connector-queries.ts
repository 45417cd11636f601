/** What is read of connectors, and what can be done with them. */
import { queryOptions, useQueryClient } from "@tanstack/react-query";
import * as api from "../client/generated.ts";
import { keepAnswer } from "../keep-answer.ts";
import { listQuery } from "../queries.ts";
import { readAll } from "../read-all.ts";
import { useWrite } from "../write.ts";
import { type ConnectorDraft, draftOfConnector, inputOf } from "./connector-words.ts";

const IDLE_MS = 15_000;

export function connectorsQuery() {
  return listQuery(
    ["connectors"],
    (page, signal) => api.listConnectors(page, { signal }),
    () => IDLE_MS,
  );
}

/** @param id or its name. */
export function connectorQuery(id: string) {
  return queryOptions({
    queryKey: ["connectors", "one", id],
    queryFn: ({ signal }) => api.readConnector(id, { signal }),
    refetchInterval: IDLE_MS,
  });
}

/** To choose among. */
export const allConnectorsQuery = queryOptions({
  queryKey: ["connectors", "all"],
  queryFn: ({ signal }) => readAll((page) => api.listConnectors(page, { signal })),
});

/** @param base the one that is changed; null for a new one. */
export function useSaveConnector(base: api.Connector | null) {
  const keep = useKeep();
  return useWrite({
    mutationFn: async (draft: ConnectorDraft) => {
      const input = inputOf(draft);
      if (base === null) return await api.createConnector(input);
      const before = inputOf(draftOfConnector(base));
      const changes = Object.fromEntries(
        Object.entries(input).filter(
          ([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key as keyof typeof before]),
        ),
      );
      if (Object.keys(changes).length === 0) return base;
      return await api.changeConnector(base.id, { ...changes, if_revision: base.revision });
    },
    onSuccess: keep,
  });
}

export function useCheckConnector(id: string) {
  return useWrite({ mutationFn: () => api.checkConnector(id), onSuccess: useKeep() });
}

/** Goes to the authorization server, in place of this page: it sends the browser back here. */
export function useBeginLogin(id: string) {
  return useWrite({
    mutationFn: () => api.beginConnectorLogin(id),
    onSuccess: ({ authorization_url }) => location.assign(authorization_url),
  });
}

export function useEndLogin(id: string) {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: () => api.endConnectorLogin(id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["connectors"] }),
  });
}

export function useDeleteConnector(id: string) {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: () => api.deleteConnector(id),
    onSuccess: () => {
      queryClient.removeQueries({ queryKey: ["connectors", "one"] });
      return queryClient.invalidateQueries({ queryKey: ["connectors"] });
    },
  });
}

/** Shows a connector as an answer has it, under whichever address it is shown. */
function useKeep() {
  const queryClient = useQueryClient();
  return async (saved: api.Connector) => {
    for (const key of [saved.id, saved.name]) await keepAnswer(queryClient, connectorQuery(key).queryKey, saved);
    return queryClient.invalidateQueries({ queryKey: ["connectors"], refetchType: "active" });
  };
}
