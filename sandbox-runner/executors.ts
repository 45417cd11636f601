/** The runner's executors: one process per lease, each seen to its end together with everything that it started. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorText } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { ATTEMPT_VARIABLE, endAttemptProcesses } from "./attempt-processes.ts";
import { attemptName, type ExecutorBrief } from "./executor-brief.ts";
import type { Log } from "./log.ts";
import type { Offer } from "./pool-link.ts";
import { removeRunFolder, runsFolder } from "./run-folder.ts";
import type { RunnerSettings } from "./settings.ts";
import { killGroup, processClosed, signalProcess, startLoudProcess } from "./spawn.ts";

export interface ExecutorsOptions {
  settings: RunnerSettings;
  log: Log;
  /** Every process of this lease's work is gone. */
  onEnded(lease: LeaseRef): void;
}

interface Executor {
  lease: LeaseRef;
  stop(): void;
  done: Promise<void>;
}

/** After being told to stop, an executor has this long to end by itself. */
const STOP_DEADLINE_MS = 3_500;
const KILL_DEADLINE_MS = 5_000;

/** Of the runner's own environment an executor gets these alone: none of them is a secret. */
const PASSED_ON = ["PATH", "HOME", "LANG", "TMPDIR", "NODE_EXTRA_CA_CERTS"];

export class Executors {
  readonly #options: ExecutorsOptions;
  readonly #running = new Map<string, Executor>();
  #stopping = false;

  constructor(options: ExecutorsOptions) {
    this.#options = options;
  }

  leases(): LeaseRef[] {
    return [...this.#running.values()].map(({ lease }) => lease);
  }

  /** Starts the work of an offer, unless it is in hand. @returns false when there is no room, or no will. */
  take(offer: Offer): boolean {
    const name = attemptName(offer.lease);
    if (this.#running.has(name)) return true;
    if (this.#stopping || this.#running.size >= this.#options.settings.capacity) return false;
    this.#running.set(name, this.#start(offer, name));
    return true;
  }

  stop(lease: LeaseRef): void {
    const executor = this.#running.get(attemptName(lease));
    if (executor === undefined) this.#options.onEnded(lease);
    else executor.stop();
  }

  /** Stops all and takes no more; settles when all are gone. */
  async stopAll(): Promise<void> {
    this.#stopping = true;
    const all = [...this.#running.values()];
    for (const executor of all) executor.stop();
    await Promise.all(all.map(({ done }) => done));
  }

  #start(offer: Offer, name: string): Executor {
    const { settings, log } = this.#options;
    const startedAt = Date.now();
    const child = startLoudProcess([process.execPath, fileURLToPath(import.meta.resolve("./execute-run.ts"))], {
      cwd: settings.stateFolder,
      // The cache halves the time until an executor works; it holds nothing but compiled programs.
      env: {
        ...passedOn(),
        NODE_COMPILE_CACHE: join(settings.stateFolder, "compile-cache"),
        [ATTEMPT_VARIABLE]: name,
      },
    });
    const brief: ExecutorBrief = {
      instance_url: settings.url,
      state_folder: settings.stateFolder,
      runner_id: settings.runnerId,
      sandbox: settings.sandbox,
      ...offer,
    };
    // The input stays open: its end tells the executor that the runner is gone.
    child.stdin?.write(`${JSON.stringify(brief)}\n`);
    let timer: NodeJS.Timeout | undefined;
    const done = processClosed(child).then(async () => {
      clearTimeout(timer);
      killGroup(child.pid);
      while (!(await endAttemptProcesses(name, KILL_DEADLINE_MS, [])))
        log("processes_left", { ...offer.lease }, "warn");
      this.#running.delete(name);
      const outcome = child.signalCode ?? `exit ${child.exitCode}`;
      log("lease_ended", { ...offer.lease, outcome, ms: Date.now() - startedAt });
      this.#options.onEnded(offer.lease);
      // Only now: a workspace can hold so many files that the pool would give the whole runner up meanwhile.
      await removeRunFolder(join(runsFolder(settings.stateFolder), name)).catch((error) =>
        log("run_folder_kept", { ...offer.lease, error: errorText(error) }, "warn"),
      );
    });
    const stop = () => {
      if (timer !== undefined) return;
      signalProcess(child.pid, "SIGTERM");
      timer = setTimeout(() => killGroup(child.pid), STOP_DEADLINE_MS);
    };
    return { lease: offer.lease, stop, done };
  }
}

function passedOn(): Record<string, string> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
