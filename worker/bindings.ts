/** What the platform gives the worker: the objects' environment, the objects themselves, and the web app's files. */
import type { ObjectEnv } from "#durable-objects/environment.ts";
import type { PoolObject } from "#durable-objects/pool-object.ts";
import type { RoutineObject } from "#durable-objects/routine-object.ts";

export interface Env extends Omit<ObjectEnv, "ROUTINE" | "POOL"> {
  ROUTINE: DurableObjectNamespace<RoutineObject>;
  POOL: DurableObjectNamespace<PoolObject>;
  /** The built web app. */
  ASSETS: Fetcher;
}
