/** What the sandbox of an attempt is made with: its routine's object says it before a container is started. */
import type { SandboxSettings } from "#instance/object-contracts.ts";

/** A routine's object that is made anew at this moment answers the next time. */
const TRIES = 3;

/**
 * @param ask answers null where the routine's object can't be asked, or has another lease in force.
 * @throws Error when it has not said: without that nothing may be let out of the container.
 */
export async function settingsFor(ask: () => Promise<SandboxSettings | null>): Promise<SandboxSettings> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const settings = await ask();
    if (settings !== null) return settings;
  }
  throw new Error("the run's routine did not say what its sandbox is made with");
}
