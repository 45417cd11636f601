/** What has to be known of a run to start its agent's program, and none of it is a secret. Pure. */
import { z } from "zod";
import { networkLevels } from "#protocol/environment.ts";
import { type RunOrder, runOrderSchema } from "#protocol/runner-link.ts";
import { givenVariables } from "../agent/agent-environment.ts";

/** Runs of one shape have the same program, with the same words and variables, until they are given their task. */
export const startShapeSchema = runOrderSchema
  .pick({ model: true, other_models: true, turns: true, tools: true, asks: true, notes: true })
  .extend({
    checkout: z.nullable(z.object({ is_fork: z.boolean() })),
    environment: z.object({ network: z.object({ level: z.enum(networkLevels) }) }).optional(),
    /** Whether its conversation is kept. */
    is_kept: z.boolean(),
    /** Whether its instance takes files that are shown to people. */
    shows: z.boolean(),
    /** Whether a run has woken it, on which a verdict can be given. */
    reviews: z.boolean(),
  });
export type StartShape = z.infer<typeof startShapeSchema>;

/**
 * @returns null for a run whose agent can't be started before its lease: its program reads, when it starts, what only the run brings
 * (a repository's files, an earlier run's conversation, what a setup script has made, variables, addresses of connectors).
 */
export function shapeOf(order: RunOrder): StartShape | null {
  const { repositories, environment, conversation, mcp_servers: servers } = order;
  const isBrought =
    repositories.length > 0 ||
    servers.length > 0 ||
    environment?.setup != null ||
    conversation?.resume != null ||
    Object.keys(givenVariables(environment)).length > 0;
  if (isBrought) return null;
  const { model, other_models, turns, tools, asks, notes, checkout } = order;
  const { shows, reviews } = toolsOf(order);
  return startShapeSchema.parse({
    ...{ model, other_models, turns, tools, asks, notes },
    checkout: checkout === null ? null : { is_fork: checkout.is_fork },
    environment: environment === undefined ? undefined : { network: { level: environment.network.level } },
    is_kept: conversation !== undefined,
    shows,
    reviews,
  });
}

/** Which of the runner's tools its agent has. */
export function toolsOf({ notes, asks, takes, reviews }: Pick<RunOrder, "notes" | "asks" | "takes" | "reviews">) {
  return { hasNotes: notes !== undefined, asks, shows: takes.includes("artifacts"), reviews: reviews !== undefined };
}

/** The same text for the same shape. */
export function shapeKey(shape: StartShape): string {
  return JSON.stringify(startShapeSchema.parse(shape));
}
