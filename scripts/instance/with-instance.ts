/** Runs something while a local instance is on, and stops the instance whatever happens. */

import { complain } from "#scripts/terminal.ts";
import type { HostProgram } from "./host-program.ts";
import { Parts } from "./parts.ts";
import type { Settings } from "./settings.ts";
import { type Instance, startInstance } from "./start-instance.ts";
import { listenForStop } from "./stop-requests.ts";

export interface Setting {
  /** The project's folder. */
  root: string;
  settings: Settings;
  host?: HostProgram;
  hasPages: boolean;
  say: (line: string) => void;
}

/**
 * @param use gets a signal that says when to leave. @returns the exit code that `use` gave; 1 when the instance did not
 * start; 130 when the start was interrupted.
 */
export async function withInstance(
  setting: Setting,
  use: (instance: Instance, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const parts = new Parts();
  const { signal, hurry } = listenForStop();
  hurry.addEventListener("abort", () => parts.stop(true));
  try {
    const started = await startInstance({ ...setting, signal, parts });
    if (started.ok) return await use(started.value, signal);
    if (signal.aborted) return 130;
    complain(started.message);
    return 1;
  } finally {
    await parts.stop(hurry.aborted);
  }
}
