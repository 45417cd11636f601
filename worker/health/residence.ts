/**
 * Whether the instance's objects live where it is configured to look for them. With another JURISDICTION every id leads to
 * another object: routines would be there no more, and the sweep would take what D1 knows of them for left-overs.
 */
import { withinDeadline } from "#instance/in-time.ts";
import type { Jurisdiction } from "#instance/objects.ts";
import { type ResidenceFault, residenceFault } from "#instance/residence.ts";
import { logTrouble } from "#protocol/log.ts";

/** The part of the roster that is used here. */
export interface ResidenceRoster {
  jurisdiction(configured: string | null): Promise<string | null>;
}

const DEADLINE_MS = 1_000;
const FILL_DEADLINE_MS = 5_000;
/** While the roster does not answer, nobody waits for it more often than this. */
const ASKED_AGAIN_MS = 5_000;

export interface ResidenceParts {
  roster(): ResidenceRoster;
  /** Takes the routines that D1 lists into the roster. */
  fillRoster(): Promise<void>;
}

/**
 * While the roster does not know all of D1's routines it holds the first value fast, though there may be none: they are taken
 * in then, whatever the sweep does. @throws Error when the roster does not answer. @returns null when all is well.
 */
export async function askResidence(
  { roster, fillRoster }: ResidenceParts,
  configured: Jurisdiction,
): Promise<ResidenceFault | null> {
  const ask = async () =>
    residenceFault(configured, await withinDeadline(roster().jurisdiction(configured), DEADLINE_MS, "the roster"));
  const fault = await ask();
  if (fault === null) return null;
  try {
    await withinDeadline(fillRoster(), FILL_DEADLINE_MS, "the index");
    return await ask();
  } catch (error) {
    logTrouble("roster_silent", {}, error);
    return fault;
  }
}

/**
 * The same for every request: asked once in the life of an isolate, since another configuration is another isolate. A roster
 * that can't be reached stops nothing: it is asked again soon.
 */
export function residenceCheck(parts: ResidenceParts, configured: Jurisdiction): () => Promise<ResidenceFault | null> {
  let known: ResidenceFault | null | undefined;
  let notBeforeMs = 0;
  return async () => {
    if (known !== undefined || Date.now() < notBeforeMs) return known ?? null;
    try {
      known = await askResidence(parts, configured);
    } catch (error) {
      notBeforeMs = Date.now() + ASKED_AGAIN_MS;
      logTrouble("roster_silent", {}, error);
    }
    return known ?? null;
  };
}
