/** How many things need a person, for the mark beside "Home" on every page. */
import { useQuery } from "@tanstack/react-query";
import { attentionOf } from "./attention.ts";
import { homeRoutinesQuery, troublesQuery } from "./home-queries.ts";

/** Elsewhere than on the first page nobody waits for it. */
const COUNT_MS = 60_000;

/** @param isWanted else nothing is read, and it is 0. */
export function useAttentionCount(isWanted: boolean): number {
  const often = { enabled: isWanted, refetchInterval: COUNT_MS };
  const { data: routines } = useQuery({ ...homeRoutinesQuery, ...often });
  const { data: troubles } = useQuery({ ...troublesQuery, ...often });
  if (!isWanted || routines === undefined || troubles === undefined) return 0;
  return attentionOf({ routines, ...troubles }).length;
}
