/** What has to be known of a run to start its agent's program, and none of it is a secret. Pure. */
import { z } from "zod";
import { networkLevels } from "#protocol/environment.ts";
import { type ClonedRepository, clonedRepositorySchema } from "#protocol/repository.ts";
import { type RunOrder, runOrderSchema } from "#protocol/runner-link.ts";
import { givenVariables } from "../agent/agent-environment.ts";
import { type Clone, planClones } from "../git/clone-plan.ts";

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

/** A repository as the latest run of its routine has cloned it. */
const copySchema = z.object({
  /** What that run has asked for: what it is about may name another branch than its routine. */
  repository: clonedRepositorySchema,
  /** The newest commit of the branch that was cloned. */
  commit: z.string().regex(/^[0-9a-f]{40,64}$/),
  branch: z.string().min(1),
  /** The branch that the upstream's HEAD names, if it tells one. */
  default_branch: z.nullable(z.string()),
  is_shallow: z.boolean(),
});
export type Copy = z.infer<typeof copySchema>;

/** For which runs an agent is to be prepared, and in a copy of which repository; null for runs that have none. */
export const expectedSchema = z.object({ shape: startShapeSchema, copy: z.nullable(copySchema) });
export type Expected = z.infer<typeof expectedSchema>;

/** What is known of that by a run's order, before anything is cloned. */
export interface Wanted {
  shape: StartShape;
  repository: ClonedRepository | null;
}

/** @returns null for a run whose agent can't be started before its lease; for one with repositories too. */
export function shapeOf(order: RunOrder): StartShape | null {
  return order.repositories.length > 0 ? null : shapeBeside(order);
}

/** @returns null for a run whose agent can't be started before its lease, nor in a copy of its only repository. */
export function wantedOf(order: RunOrder): Wanted | null {
  const shape = shapeBeside(order);
  const [plan, ...others] = planClones(order.repositories, order.checkout);
  return shape === null || others.length > 0 ? null : { shape, repository: plan?.repository ?? null };
}

/** Whether later runs of its routine can be expected to be like this one: none goes on with the same conversation. */
export function tellsOfRoutine({ conversation }: RunOrder): boolean {
  return conversation?.resume == null;
}

/** @returns what runs as this one can be prepared for, now that its repository has been cloned; null for nothing. */
export function expectedAfter(order: RunOrder, clones: readonly Clone[]): Expected | null {
  const wanted = wantedOf(order);
  const [clone] = clones;
  if (wanted === null || wanted.repository === null || clone === undefined) return null;
  const { base, branch, defaultBranch, isShallow } = clone;
  if (base === null || branch === null) return null;
  const { shape, repository } = wanted;
  return { shape, copy: { repository, commit: base, branch, default_branch: defaultBranch, is_shallow: isShallow } };
}

/**
 * @returns null for a run whose program reads, when it starts, what only the run brings, its repositories aside (an earlier run's
 * conversation, what a setup script has made, variables, addresses of connectors).
 */
function shapeBeside(order: RunOrder): StartShape | null {
  const { environment, conversation, mcp_servers: servers } = order;
  const isBrought =
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

/** The same text for runs that can be given the same program. */
export function wantedKey({ shape, repository }: Wanted): string {
  return shapeKey(shape) + JSON.stringify(repository === null ? null : clonedRepositorySchema.parse(repository));
}

/** The same text for what is prepared alike. */
export function expectedKey(expected: Expected | null): string {
  return expected === null ? "" : JSON.stringify(expectedSchema.parse(expected));
}
