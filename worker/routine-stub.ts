/** A routine's object as the worker asks it: in the name of an id. */

import type { RoutineObject } from "#durable-objects/routine/routine-object.ts";
import type { InNameOf } from "#instance/objects.ts";

export type RoutineStub = InNameOf<RoutineObject>;
