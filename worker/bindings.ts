/** What the platform gives the worker: the objects' environment, and the objects themselves. */
import type { ObjectEnv } from "#durable-objects/environment.ts";
import type { PoolObject } from "#durable-objects/pool-object.ts";
import type { RoutineObject } from "#durable-objects/routine-object.ts";

export interface Env extends Omit<ObjectEnv, "ROUTINE" | "POOL"> {
  ROUTINE: DurableObjectNamespace<RoutineObject>;
  POOL: DurableObjectNamespace<PoolObject>;
}
