/** The local runner as a program that is kept running. */
import { availableParallelism } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { ROUTINE_DEFAULTS } from "#protocol/routine.ts";
import { startProgram } from "#scripts/child-process.ts";
import type { ProgramLog } from "./program-log.ts";
import type { SupervisedProgram } from "./supervise.ts";
import { toolEnvironment } from "./tool-environment.ts";

/** A routine's whole share at a time: agents mostly wait for their model, whatever the number of cores. */
const DEFAULT_CAPACITY = Math.max(ROUTINE_DEFAULTS.max_concurrent, availableParallelism());

export interface RunnerOptions {
  root: string;
  /** Where the worker listens. */
  workerUrl: string;
  runnerToken: string;
  /** The file of the bundled executor. */
  executor: string;
  /** The folder for the folders of runs. */
  runsFolder: string;
  /** Settings of the runner that the person made. */
  variables: Record<string, string>;
}

export function runnerProgram(
  { root, workerUrl, runnerToken, executor, runsFolder, variables }: RunnerOptions,
  log: ProgramLog,
  say: (line: string) => void,
): SupervisedProgram {
  let onReady: () => void = () => undefined;
  let ready = Promise.resolve();
  const leash = pathToFileURL(path.join(import.meta.dirname, "leash.ts")).href;
  return {
    name: "runner",
    stopGraceMs: 6_000,
    startDeadlineMs: 60_000,
    say,
    start: () => {
      ready = new Promise((resolve) => {
        onReady = resolve;
      });
      return startProgram(process.execPath, ["--import", leash, path.join(root, "sandbox-runner", "main.ts")], {
        cwd: root,
        env: {
          ...toolEnvironment(),
          REVEILLE_CAPACITY: String(DEFAULT_CAPACITY),
          ...variables,
          REVEILLE_URL: workerUrl,
          RUNNER_TOKEN: runnerToken,
          REVEILLE_STATE: runsFolder,
          REVEILLE_EXECUTOR: executor,
          REVEILLE_RUNNER_ID: "local",
        },
        onLine: (line) => {
          if (line.startsWith("runner ready")) onReady();
          log.write(line);
        },
      });
    },
    ready: async () => {
      await ready;
      return true;
    },
  };
}
