/** Who names which secret, as far as it has been read. */
import { useQuery } from "@tanstack/react-query";
import { allConnectorsQuery } from "../connectors/connector-queries.ts";
import { rulesQuery } from "../notifications/notification-queries.ts";
import { everyEnvironmentQuery, everyRoutineQuery } from "./secret-queries.ts";
import { type Named, whereNamed } from "./where-named.ts";

/** @returns undefined while it is not known. */
export function useWhereNamed(): (secret: string) => Named | undefined {
  const environments = useQuery(everyEnvironmentQuery).data;
  const routines = useQuery(everyRoutineQuery).data;
  const connectors = useQuery(allConnectorsQuery).data;
  const rules = useQuery(rulesQuery).data?.rules;
  return (secret) =>
    environments === undefined || routines === undefined || rules === undefined || connectors === undefined
      ? undefined
      : whereNamed(secret, environments, routines, rules, connectors);
}
