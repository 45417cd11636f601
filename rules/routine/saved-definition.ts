/** Definitions as earlier versions saved them: the one place that knows which keys were not there yet. */
import { z } from "zod";
import { DEFAULT_PUSH } from "#protocol/repository.ts";
import { ROUTINE_DEFAULTS, type RoutineDefinition, routineSchema } from "#protocol/routine.ts";

/** A definition as an object has saved it, with the defaults of keys that were not there yet. */
export function completeDefinition(saved: RoutineDefinition): RoutineDefinition {
  const {
    session,
    push_prefix,
    runs_on,
    environment,
    variables,
    network,
    connectors,
    tools,
    context_from,
    notify,
    repositories,
  } = {
    ...ROUTINE_DEFAULTS,
    ...saved,
  };
  return {
    ...saved,
    session,
    // Older rows have none.
    session_key: saved.session_key ?? null,
    gate: saved.gate ?? null,
    push_prefix,
    runs_on,
    environment,
    variables,
    network,
    connectors,
    context_from,
    notify,
    limits: { ...ROUTINE_DEFAULTS.limits, ...saved.limits },
    tools,
    repositories: repositories.map(({ push = DEFAULT_PUSH, ...more }) => ({ ...more, push })),
  };
}

const savedRules = z.object({
  allow: z.array(z.string()).optional(),
  deny: z.array(z.string()).optional(),
  read_only: z.boolean().optional(),
});
const savedConnectors = z.array(z.union([z.string(), z.object({ name: z.string(), tools: savedRules.optional() })]));

/** A routine as D1 has kept it; the schemas within have the defaults of what was added to repositories and triggers. */
export const savedRoutineSchema = routineSchema.extend({
  // What was saved stays readable when the rules for new ones become stricter.
  name: z.string(),
  session: routineSchema.shape.session.default(ROUTINE_DEFAULTS.session),
  session_key: routineSchema.shape.session_key.default(null),
  gate: routineSchema.shape.gate.default(null),
  push_prefix: routineSchema.shape.push_prefix.default(ROUTINE_DEFAULTS.push_prefix),
  runs_on: routineSchema.shape.runs_on.default(ROUTINE_DEFAULTS.runs_on),
  environment: routineSchema.shape.environment.default(ROUTINE_DEFAULTS.environment),
  variables: z.record(z.string(), z.string()).default(ROUTINE_DEFAULTS.variables),
  connectors: savedConnectors.default(ROUTINE_DEFAULTS.connectors),
  context_from: routineSchema.shape.context_from.default(ROUTINE_DEFAULTS.context_from),
  notify: routineSchema.shape.notify.default(ROUTINE_DEFAULTS.notify),
  network: z.object({ allow: z.array(z.string()) }).default(ROUTINE_DEFAULTS.network),
  token_may_read: routineSchema.shape.token_may_read.default(false),
  tools: z
    .object({ allow: z.array(z.string()).optional(), deny: z.array(z.string()), ask: z.array(z.string()) })
    .default(ROUTINE_DEFAULTS.tools),
});
