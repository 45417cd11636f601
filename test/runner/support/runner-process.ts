/** The real runner as a process, as `npm start` starts it. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

export interface RunnerProcess {
  /** Everything that it wrote to its log so far. */
  output(): string;
  signal(signal: NodeJS.Signals): void;
  /** Ends it, if it still runs. */
  stop(): Promise<void>;
  exit: Promise<number | null>;
  /** Its output is whole, too. */
  closed: Promise<number | null>;
}

export function startRunner(environment: Record<string, string>, uid?: number): Promise<RunnerProcess> {
  return whenReady(spawnRunner(environment, uid), "runner ready");
}

/** @param words that it says when its pool has taken it in. */
export async function whenReady(runner: RunnerProcess, words: string): Promise<RunnerProcess> {
  const ready = until("the runner is ready", () => runner.output().includes(words));
  const ended = runner.closed.then(() => Promise.reject(new Error(`The runner has ended: ${runner.output()}`)));
  await Promise.race([ready, ended]);
  ended.catch(() => {});
  return runner;
}

/** @param environment its own variables; PATH and HOME are added. @param uid as whom, by default as this process. */
export function spawnRunner(environment: Record<string, string>, uid?: number): RunnerProcess {
  const main = fileURLToPath(import.meta.resolve("#sandbox-runner/main.ts"));
  return spawnProgram([process.execPath, main], environment, uid === undefined ? {} : { uid });
}

/** The same for any program. */
export function spawnProgram(
  [program, ...words]: [program: string, ...words: string[]],
  environment: Record<string, string>,
  { uid, cwd }: { uid?: number; cwd?: string } = {},
): RunnerProcess {
  const child = spawn(program, words, {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let output = "";
  const add = (chunk: Buffer) => {
    output += chunk.toString("utf8");
  };
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  const exit = new Promise<number | null>((ended) => child.once("exit", (code) => ended(code)));
  const closed = new Promise<number | null>((ended) => child.once("close", (code) => ended(code)));
  return {
    output: () => output,
    signal: (signal) => child.kill(signal),
    stop: async () => {
      child.kill("SIGTERM");
      await exit;
    },
    exit,
    closed,
  };
}
