/** Looks again and again at what a run uses, and says once when it is more than the run may. */
import { statfsSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunBounds } from "#protocol/run-bounds.ts";
import { type DiskCount, diskExcess, type Excess, isToBeCounted, processExcess } from "../process/run-bounds.ts";
import type { RunFolder } from "../process/run-folder.ts";
import { type Inside, namelessBytes, processUsage } from "../process/run-usage.ts";
import { awaitProcess, startProcess } from "../process/spawn.ts";
import { SANDBOX_TOOLS } from "../sandbox/sandbox-config.ts";

export interface WatchOptions {
  bounds: RunBounds;
  folder: RunFolder;
  /** What is the run's own at present. */
  inside(): Inside;
  signal: AbortSignal;
  onExcess(excess: Excess): void;
}

const LOOK_EVERY_MS = 250;
const DISK_EVERY_MS = 1_000;
const COUNT_DEADLINE_MS = 60_000;

/** Watches until the signal, or until something is exceeded. */
export function watchBounds(options: WatchOptions): void {
  const lookAtProcesses = async () => {
    const { bounds, inside } = options;
    const excess = processExcess(processUsage(inside(), false), bounds);
    return excess?.code === "memory_exceeded" ? processExcess(processUsage(inside(), true), bounds) : excess;
  };
  // At the beginning there is nothing of the run's to be seen, and its agent waits.
  void pause(LOOK_EVERY_MS).then(() => repeat(options, LOOK_EVERY_MS, lookAtProcesses));
  let last: DiskCount | null = null;
  void repeat(options, DISK_EVERY_MS, async () => {
    const free = freeBytes(options.folder);
    const begunAt = performance.now();
    last ??= { usedBytes: 0, freeBytes: free, atMs: begunAt, tookMs: 0 };
    if (!isToBeCounted(last, free, options.bounds, begunAt)) return null;
    const usedBytes = await countFiles(options);
    const atMs = performance.now();
    last = { usedBytes: usedBytes ?? last.usedBytes, freeBytes: free, atMs, tookMs: atMs - begunAt };
    return usedBytes === null ? null : diskExcess(usedBytes, options.bounds);
  });
}

async function repeat(
  { signal, onExcess }: WatchOptions,
  everyMs: number,
  look: () => Promise<Excess | null>,
): Promise<void> {
  while (!signal.aborted) {
    // What can't be looked at just now, because the machine is out of memory for instance, may be the next time.
    const excess = await look().catch(() => null);
    if (signal.aborted) return;
    if (excess !== null) return onExcess(excess);
    await pause(everyMs);
  }
}

function pause(ms: number): Promise<void> {
  return sleep(ms, undefined, { ref: false });
}

function freeBytes({ root }: RunFolder): number {
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize;
}

/** @returns null when it could not be told. */
async function countFiles({ folder, inside, signal }: WatchOptions): Promise<number | null> {
  const places = [folder.workspace, folder.home, folder.temporary, ...inside().folders];
  const counting = startProcess(["du", "-skx", ...places], { cwd: folder.neutral, env: { PATH: SANDBOX_TOOLS } });
  const end = await awaitProcess(counting, { deadlineMs: COUNT_DEADLINE_MS, outputCapBytes: 10_000, signal });
  // A file that vanishes meanwhile makes it fail, and its figures are right all the same.
  const counts = [...end.stdout.matchAll(/^([0-9]+)\t/gm)].map(([, kib]) => Number(kib) * 1_024);
  if (end.how !== "exited" || counts.length === 0) return null;
  return counts.reduce((sum, bytes) => sum + bytes, 0) + namelessBytes(inside(), statSync(folder.root).dev);
}
