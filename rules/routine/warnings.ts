/** What of a routine is legal but can't be meant, or can't work yet: told with it, until it is mended. Pure. */
import { type Connector, nameOfConnector } from "#protocol/connector.ts";
import type { Routine } from "#protocol/routine.ts";
import type { SecretScope } from "#protocol/secret.ts";
import type { Warning } from "#protocol/warning.ts";
import { secretsIn } from "../secrets/placeholders.ts";
import { isInScope } from "../secrets/scope.ts";
import { noRoutine, type TriggerNames, triggerWarnings } from "../triggers/trigger-warnings.ts";
import { nearestKey } from "./nearest-key.ts";

/** What the instance has of what routines name. */
export interface KnownNames extends TriggerNames {
  /** Who may use each secret; null where that can't be read. */
  secrets: ReadonlyMap<string, SecretScope | null>;
  environments: ReadonlyMap<string, KnownEnvironment | null>;
  /** Null for one that can't be read. */
  connectors: ReadonlyMap<string, KnownConnector | null>;
}

export type KnownConnector = Pick<Connector, "status" | "status_detail" | "tools">;

export interface KnownEnvironment {
  id: string;
  status: "active" | "archived";
  variables: Readonly<Record<string, string>>;
}

/** What of a routine is looked at; triggers as they are shown. */
export type Looked = Pick<
  Routine,
  "id" | "triggers" | "repositories" | "environment" | "variables" | "connectors" | "context_from" | "gate"
>;

export function warningsOf(routine: Looked, known: KnownNames): Warning[] {
  const environment = known.environments.get(routine.environment) ?? null;
  return [
    ...environmentWarnings(routine, environment),
    ...secretWarnings(routine, environment, known.secrets),
    ...routine.connectors.flatMap((given, place) =>
      connectorWarnings(nameOfConnector(given), `connectors[${place}]`, known.connectors),
    ),
    ...(routine.gate === null ? [] : toolWarnings(routine.gate, "gate", known.connectors)),
    ...routine.triggers.flatMap((trigger, place) =>
      trigger.type === "watch" ? toolWarnings(trigger, `triggers[${place}]`, known.connectors) : [],
    ),
    ...routine.context_from.flatMap(({ routine: name }, place) =>
      name === "self" || known.routines.has(name) ? [] : [noRoutine(`context_from[${place}].routine`, name)],
    ),
    ...routine.triggers.flatMap((trigger, place) =>
      triggerWarnings(trigger, routine.repositories.length > 0, known).map((warning) => ({
        ...warning,
        field: warning.field === "" ? `triggers[${place}]` : `triggers[${place}].${warning.field}`,
      })),
    ),
  ];
}

/** @param variables of the routine, and of its environment as far as it is known. @returns the secrets that they name. */
export function secretsNamed(routine: Looked, environment: KnownEnvironment | null): string[] {
  return [...secretsIn({ ...environment?.variables, ...routine.variables }).keys()];
}

function environmentWarnings({ environment: name }: Looked, environment: KnownEnvironment | null): Warning[] {
  if (environment?.status !== "archived") return [];
  const message = `the environment "${name}" is archived: runs that begin in it fail`;
  const hint = "Bring it back, or name another environment.";
  return [{ code: "environment_archived", field: "environment", message, hint }];
}

function connectorWarnings(name: string, field: string, connectors: KnownNames["connectors"]): Warning[] {
  const found = connectors.get(name);
  if (found === undefined || found === null) {
    const message = `there is no connector "${name}"`;
    const hint = "Its runs go on without it until it is there: POST /api/v1/connectors makes it.";
    return [{ code: "unknown_connector", field, message, hint }];
  }
  if (found.status === "ready") return [];
  const lack = found.status === "needs_login" ? "needs a login" : "could not be reached";
  const message = `the connector "${name}" ${lack} when it was looked at last: ${found.status_detail ?? ""}`.trim();
  const hint = `Calls of it fail until it is mended: POST /api/v1/connectors/${name}/check looks again.`;
  return [{ code: "connector_not_ready", field, message, hint }];
}

/** Of what the instance itself calls. Nothing is known of tools before the connector has been looked at. */
function toolWarnings(
  { connector, tool }: { connector: string; tool?: string | undefined },
  field: string,
  connectors: KnownNames["connectors"],
): Warning[] {
  const tools = connectors.get(connector)?.tools ?? [];
  if (tool === undefined || tools.length === 0 || tools.some(({ name }) => name === tool)) return [];
  const message = `the connector "${connector}" has no tool "${tool}"`;
  const nearest = nearestKey(
    tool,
    tools.map(({ name }) => name),
  );
  const meant = nearest === null ? "" : `Did you mean "${nearest}"? `;
  const hint = `${meant}POST /api/v1/connectors/${connector}/check looks anew at which it has.`;
  return [{ code: "unknown_tool", field: `${field}.tool`, message, hint }];
}

function secretWarnings(
  routine: Looked,
  environment: KnownEnvironment | null,
  secrets: KnownNames["secrets"],
): Warning[] {
  const user = { routineId: routine.id, environmentId: environment?.id ?? "" };
  return [...secretsIn({ ...environment?.variables, ...routine.variables })].flatMap(
    ([secret, variables]): Warning[] => {
      const scope = secrets.get(secret);
      if (scope !== undefined && scope !== null && isInScope(scope, user)) return [];
      const own = variables.find((variable) => variable in routine.variables);
      const field = own === undefined ? "environment" : `variables.${own}`;
      const lack =
        scope === undefined ? `there is no secret "${secret}"` : `this routine may not use the secret "${secret}"`;
      const hint =
        scope === undefined
          ? `Runs fail until it is there: PUT /api/v1/secrets/${secret} sets it.`
          : `Runs fail until its scope has the routine and its environment: PUT /api/v1/secrets/${secret} sets it.`;
      const message = `${lack}, which ${variables.join(", ")} needs`;
      return [{ code: "needs_secret", field, message, hint, secret }];
    },
  );
}
