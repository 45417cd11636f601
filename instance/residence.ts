/** Whether objects live where the configuration says. With another JURISDICTION every id leads to another object. */
import type { Jurisdiction } from "./objects.ts";

export interface ResidenceFault {
  field: "JURISDICTION";
  message: string;
}

/**
 * An object checks this for itself before it does anything. Its alarm rings also when the configuration has another
 * jurisdiction by now, where the other objects that it would call are not those that it knew. @param id its own. @returns null when it lives where it is looked for.
 */
export function ownResidenceFault(configured: Jurisdiction, id: DurableObjectId): ResidenceFault | null {
  return residenceFault(configured, id.jurisdiction ?? null);
}

/** @param holds the jurisdiction in which the instance's objects were made. @returns null when it is the configured one. */
export function residenceFault(configured: Jurisdiction, holds: string | null): ResidenceFault | null {
  if (holds === configured) return null;
  const [is, was] = [configured, holds].map((one) => (one === null ? "empty" : `"${one}"`));
  const message = `is ${is}, but the routines were made with it ${was}: set it back; what is to live elsewhere needs an instance of its own`;
  return { field: "JURISDICTION", message };
}
