/** Why a routine's gate can't be saved as it is. Pure. */
import { type RoutineConnectors, rulesFor } from "#protocol/connector.ts";
import { type Refusal, refuse } from "#protocol/errors.ts";
import type { Gate } from "#protocol/gate.ts";
import { expressionFault } from "./parse-expression.ts";

/** Its connector is one that the routine has, as a watch's is. @returns null when nothing is wrong. */
export function gateRefusal(gate: Gate | null, connectors: RoutineConnectors): Refusal | null {
  if (gate === null) return null;
  const isKnown = rulesFor(connectors, gate.connector) !== null;
  const fault = gate.when === undefined ? null : expressionFault(gate.when);
  const issues = [
    ...(isKnown ? [] : [{ field: "gate.connector", message: CONNECTOR.replace("NAME", () => gate.connector) }]),
    ...(fault === null ? [] : [{ field: "gate.when", message: fault }]),
  ];
  const [first] = issues;
  if (first === undefined) return null;
  const { field, message } = first;
  return refuse("invalid_request", { field, message: `${field}: ${message}`, issues }).refusal;
}

const CONNECTOR = 'is none of the routine\'s: name "NAME" under connectors';
