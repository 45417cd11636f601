/** What is read of notifications, and what can be done with them. */

import { queryOptions, useQueryClient } from "@tanstack/react-query";
import * as api from "../client/generated.ts";
import { keepAnswer } from "../keep-answer.ts";
import { asProblem, problemOf } from "../problem.ts";
import { listQuery } from "../queries.ts";
import { useWrite } from "../write.ts";

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

/** How often the rules are read anew because somebody else has saved theirs between reading and writing. */
const TRIES = 3;

/** @returns the rules with one change; null where what it is about is not there any more. */
export type RulesChange = (rules: api.NotificationRule[]) => api.NotificationRule[] | null;

/** The rules as they are now, with one change: what somebody else has added meanwhile stays. */
export function useChangeRules() {
  const queryClient = useQueryClient();
  const keep = (rules: api.NotificationRules) => keepAnswer(queryClient, rulesQuery.queryKey, rules);
  return useWrite({
    mutationFn: async (change: RulesChange) => {
      for (let tries = 1; ; tries += 1) {
        const now = await api.readNotificationRules();
        const rules = change(now.rules);
        if (rules === null) {
          await keep(now);
          throw problemOf(GONE);
        }
        try {
          return await api.setNotificationRules({ rules, if_revision: now.revision });
        } catch (error) {
          if (tries === TRIES || asProblem(error).code !== "revision_conflict") throw error;
        }
      }
    },
    onSuccess: keep,
  });
}

const GONE = {
  code: "revision_conflict",
  message: "Somebody else has changed or removed this rule meanwhile.",
  hint: "The list shows what there is now. Nothing of yours is lost: it can be saved as a rule of its own.",
};

/** Whether the rule that was to be changed is not there any more. */
export function isRuleGone(error: unknown): boolean {
  return error !== null && asProblem(error).code === GONE.code;
}

export function useRedeliver(id: string) {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: () => api.redeliverNotification(id),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["notifications"] }),
  });
}

export function useSigningKey() {
  return useWrite({ mutationFn: (webhook: string) => api.readNotificationSigningKey({ webhook }) });
}
