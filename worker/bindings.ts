/** What the platform gives the worker: the objects' environment, the objects themselves, and the web app's files. */

import type { BudgetObject } from "#durable-objects/budget/budget-object.ts";
import type { GateObject } from "#durable-objects/gate/gate-object.ts";
import type { PoolObject } from "#durable-objects/pool/pool-object.ts";
import type { RosterObject } from "#durable-objects/roster/roster-object.ts";
import type { RoutineObject } from "#durable-objects/routine/routine-object.ts";
import type { SandboxObject } from "#durable-objects/sandbox/sandbox-object.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import type { InNameOf } from "#instance/objects.ts";
import type { ModelUsage } from "#protocol/model-usage.ts";

/** A routine that has to be looked at. */
export interface ClockMessage {
  routine_id: string;
}

/** The queues, as signs of life name them. */
export const probedQueues = ["queue", "usage_queue"] as const;
export type ProbedQueue = (typeof probedQueues)[number];

/** Asks a queue's consumer for a sign of life. */
export interface ProbeMessage {
  probe: ProbedQueue;
}

export interface Env extends Omit<ObjectEnv, "ROUTINE" | "POOL" | "ROSTER" | "BUDGET" | "SANDBOX"> {
  ROUTINE: DurableObjectNamespace<RoutineObject>;
  POOL: DurableObjectNamespace<PoolObject>;
  GATE: DurableObjectNamespace<GateObject>;
  ROSTER: DurableObjectNamespace<RosterObject>;
  BUDGET: DurableObjectNamespace<BudgetObject>;
  SANDBOX: DurableObjectNamespace<SandboxObject>;
  /** Routines whose objects the sweep has not reached. */
  CLOCK: Queue<ClockMessage | ProbeMessage>;
  /** What model calls used, where the run's object has not taken it in. */
  USAGE: Queue<ModelUsage | ProbeMessage>;
  /** The built web app. */
  ASSETS: Fetcher;
  /** Which of the versions that were deployed this is. */
  DEPLOYED_VERSION?: WorkerVersionMetadata;
  /**
   * A local instance's way to public addresses, for what containers ask for: a name of a host that is allowed may lead to an
   * address of the network that this machine is in. Absent where the platform runs the worker, which is in no such network.
   */
  OUTSIDE?: Fetcher;
}

const BINDINGS = [
  "DB",
  "ROUTINE",
  "POOL",
  "GATE",
  "ROSTER",
  "BUDGET",
  "SANDBOX",
  "CLOCK",
  "USAGE",
  "BODIES",
  "ASSETS",
] as const satisfies (keyof Env)[];
const DEPLOY_COMMAND = "npm run deploy, from a clone of this version";

/** What a deployment lacks of what this version needs, with what mends it. */
export function missingBindings(given: Env): { field: string; message: string }[] {
  const bound: Partial<Record<(typeof BINDINGS)[number], unknown>> = given;
  const missing = BINDINGS.filter((name) => bound[name] === undefined);
  return missing.map((field) => ({ field, message: `the binding is missing: ${DEPLOY_COMMAND}` }));
}

/** A routine's object as the worker asks it: in the name of an id. */
export type RoutineStub = InNameOf<RoutineObject>;
