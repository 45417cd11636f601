/** What a write has answered, in place of what was read before. */
import type { QueryClient, QueryKey } from "@tanstack/react-query";

/**
 * Whatever is being read under this key may have been read before the write, and would take the answer's place: it is
 * dropped first.
 * @returns when the answer is in place.
 */
export async function keepAnswer(queries: QueryClient, queryKey: QueryKey, answer: unknown): Promise<void> {
  await queries.cancelQueries({ queryKey, exact: true });
  queries.setQueryData(queryKey, answer);
}
