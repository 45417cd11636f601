/** An executor that is a process of its own, seen to its end together with everything that it started. */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { errorText } from "#protocol/log.ts";
import {
  EXECUTOR_NEWS,
  type ExecutorNews,
  type ExpectBrief,
  type LeaseBrief,
  type PlaceBrief,
  routineIn,
  shapeIn,
} from "../attempt/executor-brief.ts";
import { PROXY_VARIABLES } from "../network/parent-proxy.ts";
import type { Expected, StartShape } from "../prepared/start-shape.ts";
import type { Log } from "../process/log.ts";
import { endMarkedProcesses, MARK_VARIABLE } from "../process/marked-processes.ts";
import { removeRunFolder, runsFolder } from "../process/run-folder.ts";
import { killGroup, signalProcess, startTalkingProcess, type TalkingProcess } from "../process/spawn.ts";
import type { Executor } from "./executor.ts";
import type { RunnerSettings } from "./settings.ts";

export interface ProcessExecutorOptions {
  settings: RunnerSettings & { runnerId: string };
  log: Log;
  /** Letters, digits, dots, dashes and underscores; never used before. */
  name: string;
  onNews(): void;
  /** What shape its run turns out to have. */
  onShape(shape: StartShape | null): void;
  /** What later runs of its run's routine can be prepared for; null for nothing. */
  onRoutine(expected: Expected | null): void;
}

/** After being told to stop, an executor has this long to end by itself. */
const STOP_DEADLINE_MS = 3_500;
const KILL_DEADLINE_MS = 5_000;

const NODE_OPTIONS = [
  // The agent's program asks nobody in most runs, and the SDK warns of that in each.
  "--disable-warning=CLAUDE_SDK_CAN_USE_TOOL_SHADOWED",
  // One that is prepared tidies up its memory before it waits.
  "--expose-gc",
];

/** Of the runner's own environment an executor gets these alone: none of them is a secret. */
const PASSED_ON = ["PATH", "HOME", "LANG", "TMPDIR", "NODE_EXTRA_CA_CERTS"];
/** And the machine's way out, which may have a password in it: the sandbox gets none of it. */
const WAY_OUT = PROXY_VARIABLES;

export class ProcessExecutor implements Executor {
  readonly name: string;
  readonly gone: Promise<void>;
  readonly #options: ProcessExecutorOptions;
  readonly #child: TalkingProcess;
  readonly #heard = new Set<ExecutorNews>();
  #stopTimer: NodeJS.Timeout | undefined;

  /** Starts the process, which begins to prepare at once. */
  constructor(options: ProcessExecutorOptions) {
    const { settings, name, onNews, onShape, onRoutine } = options;
    this.#options = options;
    this.name = name;
    const source = import.meta.resolve("#sandbox-runner/attempt/execute-run.ts");
    const program = settings.executor ?? fileURLToPath(source);
    this.#child = startTalkingProcess([process.execPath, ...NODE_OPTIONS, program], {
      cwd: settings.stateFolder,
      // The cache halves the time until an executor works; it holds nothing but compiled programs.
      env: {
        ...passedOn(),
        NODE_COMPILE_CACHE: join(settings.stateFolder, "compile-cache"),
        [MARK_VARIABLE]: name,
      },
    });
    this.gone = this.#seeOut();
    createInterface({ input: this.#child.news }).on("line", (line) => {
      const news = EXECUTOR_NEWS.find((word) => word === line);
      if (news !== undefined) this.#heard.add(news);
      const shape = shapeIn(line);
      if (shape !== undefined) onShape(shape);
      const routine = routineIn(line);
      if (routine !== undefined) onRoutine(routine);
      onNews();
    });
    this.#tell({
      name,
      instance_url: settings.url,
      state_folder: settings.stateFolder,
      runner_id: settings.runnerId,
      sandbox: settings.sandbox,
      bounds: settings.bounds,
      serves_routines: settings.routines > 0,
    });
  }

  has(news: ExecutorNews): boolean {
    return this.#heard.has(news);
  }

  get outcome(): string {
    return this.#child.process.signalCode ?? `exit ${this.#child.process.exitCode}`;
  }

  expect(expected: Expected | null): void {
    this.#tell({ expect: expected });
  }

  give(lease: LeaseBrief): void {
    this.#tell(lease);
  }

  stop(): void {
    if (this.#stopTimer !== undefined) return;
    signalProcess(this.#child.process.pid, "SIGTERM");
    this.#stopTimer = setTimeout(() => this.kill(), STOP_DEADLINE_MS);
  }

  kill(): void {
    killGroup(this.#child.process.pid);
  }

  async clear(): Promise<void> {
    const { settings, log } = this.#options;
    await removeRunFolder(join(runsFolder(settings.stateFolder), this.name)).catch((error) =>
      log("run_folder_kept", { executor: this.name, error: errorText(error) }, "warn"),
    );
  }

  async #seeOut(): Promise<void> {
    await this.#child.ended;
    clearTimeout(this.#stopTimer);
    this.kill();
    while (!(await endMarkedProcesses(this.name, KILL_DEADLINE_MS, [])))
      this.#options.log("processes_left", { executor: this.name }, "warn");
    this.#child.news.destroy();
  }

  /** The input stays open: its end tells the executor that the runner is gone. */
  #tell(brief: PlaceBrief | ExpectBrief | LeaseBrief): void {
    this.#child.process.stdin?.write(`${JSON.stringify(brief)}\n`);
  }
}

function passedOn(): Record<string, string> {
  return Object.fromEntries(
    [...PASSED_ON, ...WAY_OUT].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
