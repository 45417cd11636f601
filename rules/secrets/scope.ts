/** Who may use a secret. Pure. */
import type { SecretScope } from "#protocol/secret.ts";

/** Whose variables, or whose connector's headers, name a secret. */
export interface SecretUser {
  /** Null where a person looks whether a connector works: it is for no routine then. */
  routineId: string | null;
  environmentId: string | null;
  /** The connector whose headers name it; absent for variables and addresses. */
  connectorId?: string;
}

/** A list that a scope leaves out stands for all. One of connectors keeps the secret from all that is no connector. */
export function isInScope({ routines, environments, connectors }: SecretScope, user: SecretUser): boolean {
  const { routineId, environmentId, connectorId } = user;
  const isRoutine = routineId === null || (routines?.includes(routineId) ?? true);
  const isEnvironment = environmentId === null || (environments?.includes(environmentId) ?? true);
  const isConnector = connectors === undefined || (connectorId !== undefined && connectors.includes(connectorId));
  return isRoutine && isEnvironment && isConnector;
}
