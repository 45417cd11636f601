/** Pure: the connectors that a routine names. */
import type { RoutineConnector } from "#protocol/connector.ts";

/** @param given as a routine has it. */
export function connectorName(given: RoutineConnector): string {
  return typeof given === "string" ? given : given.name;
}
