/** What is read of secrets, and of what may name them. */
import { queryOptions } from "@tanstack/react-query";
import * as api from "../client/generated.ts";
import { listQuery } from "../queries.ts";
import { readAll } from "../read-all.ts";

const IDLE_MS = 15_000;

export function secretsQuery() {
  return listQuery(
    ["secrets"],
    (page, signal) => api.listSecrets(page, { signal }),
    () => IDLE_MS,
  );
}

/** To know whether one that is named is there. */
export const allSecretsQuery = queryOptions({
  queryKey: ["secrets", "all"],
  queryFn: ({ signal }) => readAll((page) => api.listSecrets(page, { signal })),
});

export function secretQuery(name: string) {
  return queryOptions({
    queryKey: ["secrets", "one", name],
    queryFn: ({ signal }) => api.readSecret(name, { signal }),
  });
}

export function secretUsesQuery(name: string) {
  return listQuery(
    ["secrets", "uses", name],
    (page, signal) => api.listSecretUses(name, page, { signal }),
    () => IDLE_MS,
  );
}

export const everyEnvironmentQuery = queryOptions({
  queryKey: ["environments", "every"],
  queryFn: ({ signal }) => readAll((page) => api.listEnvironments(page, { signal })),
});

export const everyRoutineQuery = queryOptions({
  queryKey: ["routines", "every"],
  queryFn: ({ signal }) => readAll((page) => api.listRoutines(page, { signal })),
});
