/** The worker's door: HTTP in, and the classes of the durable objects. */
import { app } from "./app.ts";

export { PoolObject } from "#durable-objects/pool-object.ts";
export { RoutineObject } from "#durable-objects/routine-object.ts";

export default app;
