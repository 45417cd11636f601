/** What the page of a session reads beside the session itself and its runs. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { readSessionDiff } from "../client/generated.ts";

/** @param ended how many of its runs have ended: a run's changes are there when it has. */
export function sessionDiffQuery(id: string, ended: number) {
  return queryOptions({
    queryKey: ["session-diff", id, ended],
    queryFn: ({ signal }) => readSessionDiff(id, { signal }),
    placeholderData: keepPreviousData,
  });
}
