/** Pure: which secrets a text names, and who names a secret. */
import type { Connector } from "#protocol/connector.ts";
import type { Environment } from "#protocol/environment.ts";
import type { Destination } from "#protocol/notification.ts";
import type { Routine } from "#protocol/routine.ts";

/** A backslash before it has it stay as it is: then it names nothing. */
const PLACEHOLDER = /(\\?)\{\{ *([A-Za-z_][A-Za-z0-9_]{0,63}) *\}\}/g;

export function secretsIn(text: string): string[] {
  const names = [...text.matchAll(PLACEHOLDER)].filter(([, escaped]) => escaped === "").map(([, , name = ""]) => name);
  return [...new Set(names)];
}

export type NamingRoutine = Pick<Routine, "id" | "name" | "variables"> & {
  notify: readonly Partial<Record<Destination["by"], string | undefined>>[];
};
export type NamingEnvironment = Pick<Environment, "id" | "name" | "variables" | "status">;

export type NamingConnector = Pick<Connector, "id" | "name" | "auth">;

type NamingRule = NamingRoutine["notify"][number];

export interface Named {
  environments: NamingEnvironment[];
  routines: NamingRoutine[];
  connectors: NamingConnector[];
  /** Whether a notification rule for all routines does. */
  isInRules: boolean;
}

/** Archived environments are left out: no run gets what they name. */
export function whereNamed(
  secret: string,
  environments: readonly NamingEnvironment[],
  routines: readonly NamingRoutine[],
  rules: readonly NamingRule[],
  connectors: readonly NamingConnector[],
): Named {
  const names = (texts: readonly string[]) => texts.some((text) => secretsIn(text).includes(secret));
  return {
    environments: environments.filter(
      ({ status, variables }) => status === "active" && names(Object.values(variables)),
    ),
    routines: routines.filter(({ variables, notify }) => names([...Object.values(variables), ...addressesOf(notify)])),
    connectors: connectors.filter(({ auth }) => names([JSON.stringify(auth)])),
    isInRules: names(addressesOf(rules)),
  };
}

function addressesOf(rules: readonly NamingRule[]): string[] {
  return rules.flatMap(({ webhook = "", slack = "", telegram = "", discord = "" }) => [
    webhook,
    slack,
    telegram,
    discord,
  ]);
}

/** Those who name it, each by its name. */
export function namesOf({ environments, routines, connectors, isInRules }: Named): string[] {
  const names = [...environments, ...routines, ...connectors].map(({ name }) => name);
  return isInRules ? [...names, "the notification rules"] : names;
}
