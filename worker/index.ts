/** The worker's main file: its handlers for HTTP, cron and queues, the classes of the durable objects, and the containers' way out. */
import { app } from "./app.ts";
import type { Env } from "./bindings.ts";
import { queue, scheduled } from "./clock/handlers.ts";

export { BudgetObject } from "#durable-objects/budget/budget-object.ts";
export { GateObject } from "#durable-objects/gate/gate-object.ts";
export { PoolObject } from "#durable-objects/pool/pool-object.ts";
export { RosterObject } from "#durable-objects/roster/roster-object.ts";
export { RoutineObject } from "#durable-objects/routine/routine-object.ts";
export { SandboxObject } from "#durable-objects/sandbox/sandbox-object.ts";
export { ClosedExit } from "./exit/closed-exit.ts";
export { SandboxExit } from "./exit/sandbox-exit.ts";

export default { fetch: app.fetch, scheduled, queue } satisfies ExportedHandler<Env>;
