/** A routine's object as the worker calls it. */
import type { RoutineObject } from "#durable-objects/routine-object.ts";

export type RoutineStub = DurableObjectStub<RoutineObject>;
