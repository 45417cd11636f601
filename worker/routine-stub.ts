/** A routine's object as the worker asks it: in the name of an id. */
import type { InNameOf } from "#durable-objects/object-ids.ts";
import type { RoutineObject } from "#durable-objects/routine-object.ts";

export type RoutineStub = InNameOf<RoutineObject>;
