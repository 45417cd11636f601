/** Who may use a secret. Pure. */
import type { SecretScope } from "#protocol/secret.ts";

/** Whose variables name a secret. */
export interface SecretUser {
  routineId: string;
  environmentId: string;
}

/** A list that a scope leaves out stands for all. */
export function isInScope({ routines, environments }: SecretScope, user: SecretUser): boolean {
  const isRoutine = routines?.includes(user.routineId) ?? true;
  return isRoutine && (environments?.includes(user.environmentId) ?? true);
}
