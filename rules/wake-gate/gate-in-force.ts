/** Which gate is asked of what comes by itself. Pure. */
import type { Gate } from "#protocol/gate.ts";

/** While a routine is paused nothing would come of the answer. @returns null where none is asked. */
export function gateInForce(routine: { status: string; definition: { gate: Gate | null } }): Gate | null {
  return routine.status === "active" ? routine.definition.gate : null;
}

export function isSameGate(one: Gate | null, other: Gate | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
