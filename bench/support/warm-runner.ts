/** A local runner that has an executor prepared for each run. */
import path from "node:path";
import { startProgram } from "#scripts/child-process.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import { ROOT, scratchPath } from "./scratch.ts";
import type { Served } from "./served.ts";

export interface WarmRunner extends AsyncDisposable {
  /** Resolves when an executor is prepared for the next run. */
  warm(): Promise<void>;
}

export async function startRunner(served: Served): Promise<WarmRunner> {
  const readySpares = { count: 0, used: 0, wake: () => {} };
  const program = startProgram(process.execPath, [path.join(ROOT, "sandbox-runner/main.ts")], {
    cwd: ROOT,
    env: {
      ...toolEnvironment(),
      REVEILLE_CAPACITY: "5",
      REVEILLE_URL: served.url,
      RUNNER_TOKEN: served.runnerToken,
      REVEILLE_STATE: scratchPath("runs"),
      REVEILLE_RUNNER_ID: "bench",
    },
    onLine: (line) => {
      if (!line.includes('"spare_ready"')) return;
      readySpares.count += 1;
      readySpares.wake();
    },
  });
  return {
    // Each run takes the spare that is there, and the next one is prepared when it has begun.
    warm: async () => {
      while (readySpares.count <= readySpares.used) {
        await new Promise<void>((resolve) => {
          readySpares.wake = resolve;
        });
      }
      readySpares.used += 1;
    },
    [Symbol.asyncDispose]: async () => {
      await program.stop(6_000);
    },
  };
}
