/** In what a runner's leases are worked on: processes with a sandbox each, or containers of an engine. */
import { ContainerExecutor } from "../engine/container-executor.ts";
import { Engine } from "../engine/engine.ts";
import { removeSocketFolders, socketFault } from "../engine/socket-folders.ts";
import type { Log } from "../process/log.ts";
import { awaitProcess, startProcess } from "../process/spawn.ts";
import { SANDBOX_TOOLS } from "../sandbox/sandbox-config.ts";
import type { Executor } from "./executor.ts";
import type { StartedExecutor } from "./executors.ts";
import { ProcessExecutor } from "./process-executor.ts";
import type { RunnerSettings } from "./settings.ts";
import { removeLeftovers } from "./state-folder.ts";

export interface Workshop {
  /** How many executors are kept prepared. */
  spares: number;
  /** How many of them have an agent prepared, where that is possible. */
  agents: number;
  /** For how many routines one more is kept. */
  routines: number;
  /** @returns what is missing for work here, a line each; null for nothing. */
  check(): Promise<(string | null)[]>;
  /** Ends and removes what an earlier runner of this state folder has left. @throws when the file system refuses. */
  removeLeftovers(): Promise<void>;
  start(one: StartedExecutor & { runnerId: string }): Executor;
}

const GIT_DEADLINE_MS = 10_000;

export function workshopFor(settings: RunnerSettings, log: Log): Workshop {
  return settings.engine === null ? processes(settings, log) : containers(settings, settings.engine, log);
}

function processes(settings: RunnerSettings, log: Log): Workshop {
  return {
    spares: settings.spares,
    agents: settings.agents,
    routines: settings.routines,
    check: async () => [await gitFault()],
    removeLeftovers: () => removeLeftovers(settings.stateFolder, log),
    start: ({ runnerId, ...one }) => new ProcessExecutor({ settings: { ...settings, runnerId }, log, ...one }),
  };
}

function containers(
  settings: RunnerSettings,
  { program, image }: NonNullable<RunnerSettings["engine"]>,
  log: Log,
): Workshop {
  const { stateFolder, bounds } = settings;
  const engine = new Engine({ program, image, bounds, stateFolder });
  return {
    // A container is told its lease when it starts.
    spares: 0,
    agents: 0,
    routines: 0,
    // Without a socket there is nothing to try.
    check: async () => [socketFault(stateFolder) ?? (await engine.check())],
    removeLeftovers: async () => {
      // The folder may have served processes before.
      await removeLeftovers(stateFolder, log);
      await engine.removeLeftovers(log);
      await removeSocketFolders(stateFolder);
    },
    start: ({ name, runnerId }) => new ContainerExecutor({ settings: { ...settings, runnerId }, log, name, engine }),
  };
}

async function gitFault(): Promise<string | null> {
  const end = await awaitProcess(startProcess(["git", "--version"], { cwd: "/", env: { PATH: SANDBOX_TOOLS } }), {
    deadlineMs: GIT_DEADLINE_MS,
    outputCapBytes: 1_000,
    signal: new AbortController().signal,
  });
  if (end.code === 0) return null;
  return `git: not found in ${SANDBOX_TOOLS}; install it (Debian: apt-get install git)`;
}
