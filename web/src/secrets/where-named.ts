/** Pure: which secrets a text names, and who names a secret. */
import type { Environment } from "#protocol/environment.ts";
import type { Routine } from "#protocol/routine.ts";

/** A backslash before it has it stay as it is: then it names nothing. */
const PLACEHOLDER = /(\\?)\{\{ *([A-Za-z_][A-Za-z0-9_]{0,63}) *\}\}/g;

export function secretsIn(text: string): string[] {
  const names = [...text.matchAll(PLACEHOLDER)].filter(([, escaped]) => escaped === "").map(([, , name = ""]) => name);
  return [...new Set(names)];
}

export type NamingRoutine = Pick<Routine, "id" | "name" | "variables"> & {
  notify: readonly { webhook?: string | undefined; slack?: string | undefined }[];
};
export type NamingEnvironment = Pick<Environment, "id" | "name" | "variables" | "status">;

export interface Named {
  environments: NamingEnvironment[];
  routines: NamingRoutine[];
}

/** Archived environments are left out: no run gets what they name. */
export function whereNamed(
  secret: string,
  environments: readonly NamingEnvironment[],
  routines: readonly NamingRoutine[],
): Named {
  const names = (texts: readonly string[]) => texts.some((text) => secretsIn(text).includes(secret));
  return {
    environments: environments.filter(
      ({ status, variables }) => status === "active" && names(Object.values(variables)),
    ),
    routines: routines.filter(({ variables, notify }) =>
      names([...Object.values(variables), ...notify.flatMap(({ webhook = "", slack = "" }) => [webhook, slack])]),
    ),
  };
}
