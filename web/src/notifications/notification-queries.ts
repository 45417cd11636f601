/** What is read of notifications, and what can be done with them. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import * as api from "../client/generated.ts";
import { listQuery } from "../queries.ts";

const IDLE_MS = 15_000;

export const rulesQuery = queryOptions({
  queryKey: ["notifications", "rules"],
  queryFn: ({ signal }) => api.readNotificationRules({ signal }),
});

export const destinationsQuery = queryOptions({
  queryKey: ["notifications", "destinations"],
  queryFn: ({ signal }) => api.listNotificationDestinations({ signal }),
  refetchInterval: IDLE_MS,
});

export function notificationsQuery() {
  return listQuery(
    ["notifications"],
    (page, signal) => api.listNotifications(page, { signal }),
    () => IDLE_MS,
  );
}

/** The rules as they are now, with one change: what somebody else has added meanwhile stays. */
export function useChangeRules() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (change: (rules: api.NotificationRule[]) => api.NotificationRule[]) => {
      const { rules } = await api.readNotificationRules();
      return await api.setNotificationRules({ rules: change(rules) });
    },
    onSuccess: (rules) => queryClient.setQueryData(rulesQuery.queryKey, rules),
  });
}

export function useRedeliver(id: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => api.redeliverNotification(id),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["notifications"] }),
  });
}

export function useSigningKey() {
  return useMutation({ mutationFn: (webhook: string) => api.readNotificationSigningKey({ webhook }) });
}
