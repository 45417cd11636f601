/** What the instance makes of a sentence: whether it can, and doing it. */
import { queryOptions, skipToken, useQueryClient } from "@tanstack/react-query";
import * as api from "../../client/generated.ts";
import { useWrite } from "../../write.ts";

const SELDOM_MS = 300_000;

/** Asked once: templates don't wait for an instance that does not answer. */
export const draftingQuery = queryOptions({
  queryKey: ["drafting"],
  queryFn: ({ signal }) => api.readDrafting({ signal }),
  staleTime: SELDOM_MS,
  retry: false,
});

/** What somebody has written, with what it has become. */
export interface DraftedFrom {
  text: string;
  drafted: api.Drafted;
}

/** Under this name of a template the newest draft is begun with. */
export const OWN_WORDS = "words";

/** The newest draft, which this page alone knows. */
export const draftedQuery = queryOptions<DraftedFrom>({ queryKey: ["drafted"], queryFn: skipToken });

/** @param onDrafted is told when there is a draft to begin with. */
export function useDraftRoutine(onDrafted?: () => void) {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: (asked: Pick<api.DraftInput, "text" | "answers">) =>
      api.draftRoutine({ ...asked, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone }),
    onSuccess: (drafted, { text }) => {
      queryClient.setQueryData(draftedQuery.queryKey, { text, drafted });
      onDrafted?.();
    },
  });
}
