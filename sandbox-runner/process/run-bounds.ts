/** Pure: how much of the runner's machine a run may use, and whether it uses more. */
import { z } from "zod";
import type { RunErrorCode } from "#protocol/run-errors.ts";

const MIB = 1_048_576;

export const runBoundsSchema = z.object({
  /** Processes and their threads, at once. */
  processes: z.int(),
  /** In MiB: what its processes have in memory, swapped out included, and what lies in its temporary file systems. */
  memory_mib: z.int(),
  /** In MiB: its workspace, its home and its temporary folder; and the length of any one file. */
  disk_mib: z.int(),
});
export type RunBounds = z.infer<typeof runBoundsSchema>;

/** Room for a build with a browser, and for several such runs on a machine that is shared. */
export function defaultBounds(machineMemoryBytes: number): RunBounds {
  const share = Math.floor((machineMemoryBytes / MIB) * 0.75);
  return { processes: 1_024, memory_mib: Math.max(512, Math.min(4_096, share)), disk_mib: 10_240 };
}

export interface Excess {
  code: Extract<RunErrorCode, "processes_exceeded" | "memory_exceeded" | "disk_exceeded">;
  /** One line with the figures. */
  detail: string;
}

export interface ProcessUsage {
  processes: number;
  memoryBytes: number;
}

export function processExcess({ processes, memoryBytes }: ProcessUsage, bounds: RunBounds): Excess | null {
  if (processes > bounds.processes) {
    return { code: "processes_exceeded", detail: `It had ${processes}; ${bounds.processes} are allowed.` };
  }
  return overMib("memory_exceeded", memoryBytes, bounds.memory_mib);
}

export function diskExcess(usedBytes: number, bounds: RunBounds): Excess | null {
  return overMib("disk_exceeded", usedBytes, bounds.disk_mib);
}

function overMib(code: Excess["code"], bytes: number, allowedMib: number): Excess | null {
  if (bytes <= allowedMib * MIB) return null;
  return { code, detail: `It had ${Math.ceil(bytes / MIB)} MiB; ${allowedMib} MiB are allowed.` };
}

/** The last time that a run's files were counted. */
export interface DiskCount {
  usedBytes: number;
  /** What the file system had left then. */
  freeBytes: number;
  atMs: number;
  /** How long it took. */
  tookMs: number;
}

/** Files that others remove meanwhile can hide what a run writes: then it is counted now and then, for a small part of the time. */
const COUNT_AGAIN_MS = 10_000;
const COUNT_PART = 20;

/**
 * Counting all files takes long. A run can't have written more than the file system has lost, so until that could be too much
 * nothing is counted.
 */
export function isToBeCounted(last: DiskCount, freeBytes: number, bounds: RunBounds, nowMs: number): boolean {
  const atMost = last.usedBytes + Math.max(0, last.freeBytes - freeBytes);
  return atMost > bounds.disk_mib * MIB || nowMs - last.atMs >= Math.max(COUNT_AGAIN_MS, COUNT_PART * last.tookMs);
}
