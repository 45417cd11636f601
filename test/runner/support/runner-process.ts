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

export async function startRunner(environment: Record<string, string>, uid?: number): Promise<RunnerProcess> {
  const runner = spawnRunner(environment, uid);
  const ready = until("the runner is ready", () => runner.output().includes("runner ready"));
  const ended = runner.closed.then(() => Promise.reject(new Error(`The runner has ended: ${runner.output()}`)));
  await Promise.race([ready, ended]);
  ended.catch(() => {});
  return runner;
}

/** @param environment its own variables; PATH and HOME are added. @param uid as whom, by default as this process. */
export function spawnRunner(environment: Record<string, string>, uid?: number): RunnerProcess {
  const main = fileURLToPath(import.meta.resolve("#sandbox-runner/main.ts"));
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
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
