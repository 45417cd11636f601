/** Pure: how much of the runner's machine a run may use, and whether it uses more. */
import type { RunBounds } from "#protocol/run-bounds.ts";
import type { RunErrorCode } from "#protocol/run-errors.ts";

const MIB = 1_048_576;

/** Room for a build with a browser, and for several such runs on a machine that is shared. */
export function defaultBounds(machineMemoryBytes: number): RunBounds {
  const share = Math.floor((machineMemoryBytes / MIB) * 0.75);
  return { processes: 1_024, memory_mib: Math.max(512, Math.min(4_096, share)), disk_mib: 10_240 };
}

/** What the runner and the system keep of a container's memory and disk, and of its processes. */
const OWN_MIB = 512;
const OWN_PROCESSES = 64;
/** What the largest container of the platform has: more than this is a machine's that others use too. */
const MOST_MEMORY_MIB = 12_288;
const MOST_DISK_MIB = 20_480;
const MOST_PROCESSES = 4_096;

/** In a container of its own a run may have almost all that is there. @param processes how many there can be; may be infinite. */
export function containerBounds(memoryBytes: number, freeDiskBytes: number, processes: number): RunBounds {
  const part = (bytes: number, most: number) => Math.max(1, Math.min(most, Math.floor(bytes / MIB)) - OWN_MIB);
  return {
    processes: Math.max(1, Math.min(MOST_PROCESSES, processes - OWN_PROCESSES)),
    memory_mib: part(memoryBytes, MOST_MEMORY_MIB),
    disk_mib: part(freeDiskBytes, MOST_DISK_MIB),
  };
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
