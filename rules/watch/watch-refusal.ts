/** Why a routine's watches can't be saved as they are. Pure. */
import { type RoutineConnectors, rulesFor } from "#protocol/connector.ts";
import { type Refusal, refuse } from "#protocol/errors.ts";

/** A watch looks with a connector that the routine has: else nobody would see who uses the connector. @returns null when nothing is wrong. */
export function watchRefusal(
  triggers: readonly { type: string; connector?: string }[],
  connectors: RoutineConnectors,
): Refusal | null {
  const issues = triggers.flatMap(({ type, connector }, place) => {
    if (type !== "watch" || connector === undefined || rulesFor(connectors, connector) !== null) return [];
    const message = `is none of the routine's: name "${connector}" under connectors`;
    return [{ field: `triggers[${place}].connector`, message }];
  });
  const [first] = issues;
  if (first === undefined) return null;
  const { field, message } = first;
  return refuse("invalid_request", { field, message: `${field}: ${message}`, issues }).refusal;
}
