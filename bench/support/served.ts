/** Serves the built worker, or a bare one, as a local instance does: one host, one workerd, a state of its own on disk. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startProgram } from "#scripts/child-process.ts";
import type { BuiltWorker } from "#scripts/instance/build-worker.ts";
import type { HostOrder } from "#scripts/instance/host-order.ts";
import { drawFreePort } from "#scripts/instance/ports.ts";
import { INSTANCE_VARIABLE, toolEnvironment } from "#scripts/instance/tool-environment.ts";
import { builtBare, builtCounting, builtReveille } from "./builds.ts";
import { ROOT, scratchPath } from "./scratch.ts";

const START_DEADLINE_MS = 30_000;
/** workerd has nothing left to do when it took less than this share of a core for this long. */
const IDLE = { share: 0.05, ms: 750 } as const;
/** Containers take a while to be removed. */
const STOP_GRACE_MS = 8_000;

/** The programs that have served, by their files. */
const programs = new Set<string>();

/** @param program that a row has started by itself. */
export function hasServed(program: string): void {
  programs.add(program);
}

/** Every workerd that has been started here, as a path: which one Miniflare takes no package.json tells. */
export function servedBy(): string[] {
  return [...programs];
}

export interface Served extends AsyncDisposable {
  /** Where it listens. */
  url: string;
  ownerToken: string;
  runnerToken: string;
  /** The memory that workerd has in use, in MiB. */
  workerdMemory(): number;
  /** How many files workerd has open: three for each object that is in memory. */
  openFiles(): number;
  /** The processor time that workerd has taken since it started, in milliseconds. */
  workerdCpuMs(): number;
}

/** @param variables are added to those of an instance without a model key. @param containers null for an instance without. */
export async function serveReveille(
  variables: Record<string, string> = {},
  containers: HostOrder["containers"] = null,
): Promise<Served> {
  return serve(await builtReveille(), variables, containers);
}

/** Ours, with the paths of bench/counting/entry.ts: how many rows it has written and read, by table. */
export async function serveCounting(): Promise<Served> {
  return serve(await builtCounting(), {});
}

/** @param name a file of bench/baseline. */
export async function serveBare(name: string, containers: HostOrder["containers"] = null): Promise<Served> {
  return serve(await builtBare(name), {}, containers);
}

/** Serves a worker until it is disposed of. */
async function serve(
  built: BuiltWorker,
  variables: Record<string, string>,
  containers: HostOrder["containers"] = null,
): Promise<Served> {
  const folder = scratchPath("state");
  const port = await drawFreePort();
  const ownerToken = randomBytes(32).toString("hex");
  const runnerToken = randomBytes(32).toString("hex");
  const order: HostOrder = {
    port,
    bundle: built.folder,
    options: built.options,
    webApp: path.join(folder, "no-web-app"),
    storage: path.join(folder, "storage"),
    migrations: path.join(ROOT, "migrations", "d1"),
    containers,
    variables: {
      OWNER_TOKEN: ownerToken,
      RUNNER_TOKEN: runnerToken,
      SIGNING_KEY: randomBytes(32).toString("hex"),
      LOCAL_INSTANCE: "1",
      // Nothing listens there: no run of the bench gets so far as to ask a model.
      DEMO_MODEL_URL: "http://127.0.0.1:9",
      ...variables,
    },
  };
  const lines: string[] = [];
  const ready = Promise.withResolvers<void>();
  const host = startProgram(process.execPath, [path.join(ROOT, "scripts/instance/worker-host.ts")], {
    cwd: ROOT,
    env: { ...toolEnvironment(), [INSTANCE_VARIABLE]: folder },
    firstLine: JSON.stringify(order),
    onLine: (line) => {
      if (line === "worker ready") ready.resolve();
      if (lines.length < 20) lines.push(line);
    },
  });
  const stop = async () => {
    await host.stop(STOP_GRACE_MS);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const failure = await Promise.race([
    ready.promise.then(() => null),
    host.ended.then((how) => `it ended (${how})`),
    delay(START_DEADLINE_MS, "it took too long", { ref: false }),
  ]);
  if (failure !== null) {
    await stop();
    throw new Error(`The worker was not served: ${failure}. ${lines.join("\n")}`);
  }
  const pid = workerdOf(folder);
  hasServed(readlinkSync(`/proc/${pid}/exe`));
  return {
    url: `http://127.0.0.1:${port}`,
    ownerToken,
    runnerToken,
    workerdMemory: () => residentMiB(workerdOf(folder)),
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
    workerdCpuMs: () => processorMs(pid),
    [Symbol.asyncDispose]: stop,
  };
}

/** Waits until what is served has nothing left to do. */
export async function idle({ workerdCpuMs }: Pick<Served, "workerdCpuMs">): Promise<void> {
  for (;;) {
    const before = workerdCpuMs();
    await delay(IDLE.ms);
    if (workerdCpuMs() - before < IDLE.ms * IDLE.share) return;
  }
}

/** The workerd that carries the mark of this instance. */
function workerdOf(mark: string): string {
  const found = readdirSync("/proc").find(
    (name) =>
      /^\d+$/.test(name) &&
      /workerd\0/.test(readProc(name, "cmdline").slice(0, 500)) &&
      readProc(name, "environ").includes(`${INSTANCE_VARIABLE}=${mark}`),
  );
  if (found === undefined) throw new Error("workerd is not running");
  return found;
}

function residentMiB(pid: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readProc(pid, "status"))?.[1]) / 1_024;
}

/** Of user and kernel, which Linux counts in hundredths of a second. */
function processorMs(pid: string): number {
  const fields = readProc(pid, "stat").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function readProc(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return "";
  }
}
