/**
 * What a run uses of the machine, read from the process file systems of its sandboxes: so the work grows with the processes of
 * the run, and not with those of the machine. Processes that end meanwhile are not counted.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statfsSync, statSync } from "node:fs";
import type { ProcessUsage } from "./run-bounds.ts";

/** Each file in a temporary file system takes about so much of the kernel's memory, whatever is in it. */
const INODE_BYTES = 1_024;
const TEMPORARY = ["tmp", "dev/shm"];

/**
 * @param entrances the processes that have entered sandboxes, as this machine numbers them.
 * @param isExact whether memory that several processes share counts once; this takes longer. Otherwise it counts for each.
 */
export function processUsage(entrances: readonly number[], isExact: boolean): ProcessUsage {
  const total: ProcessUsage = { processes: 0, memoryBytes: 0 };
  for (const root of insides(entrances)) {
    for (const pid of numbers(`${root}/proc`)) {
      const { threads, bytes } = statusOf(`${root}/proc/${pid}`, isExact);
      total.processes += threads;
      total.memoryBytes += bytes;
    }
    for (const place of TEMPORARY) total.memoryBytes += temporaryBytes(`${root}/${place}`);
  }
  return total;
}

/** Bytes of files on a file system that have no name any more and are held open by a run. */
export function namelessBytes(entrances: readonly number[], device: number): number {
  const seen = new Map<number, number>();
  for (const root of insides(entrances)) {
    for (const pid of numbers(`${root}/proc`)) {
      const folder = `${root}/proc/${pid}/fd`;
      for (const descriptor of numbers(folder)) {
        const file = orNull(() => statSync(`${folder}/${descriptor}`));
        if (file?.isFile() && file.nlink === 0 && file.dev === device) seen.set(file.ino, file.blocks * 512);
      }
    }
  }
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * The root folders of sandboxes: of the first process in each, which what entered has started. While that one is still on
 * its way its root is the machine's: of a sandbox's process file system this process is no part, of the machine's it is.
 */
function insides(entrances: readonly number[]): string[] {
  const roots = entrances.flatMap((pid) => childrenOf(pid).map((child) => `/proc/${child}/root`));
  return roots.filter((root) => orNull(() => lstatSync(`${root}/proc`)) !== null && !isOwn(`${root}/proc`));
}

function isOwn(processes: string): boolean {
  return orNull(() => readlinkSync(`${processes}/self`)) !== null;
}

function childrenOf(pid: number): string[] {
  const listed = orNull(() => readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1"));
  if (listed !== null) return listed.split(" ").filter((child) => child !== "");
  // A kernel that keeps no such list.
  const parent = new RegExp(`^PPid:\\s*${pid}$`, "m");
  return numbers("/proc").filter((one) =>
    parent.test(orNull(() => readFileSync(`/proc/${one}/status`, "latin1")) ?? ""),
  );
}

function statusOf(folder: string, isExact: boolean): { threads: number; bytes: number } {
  const status = orNull(() => readFileSync(`${folder}/status`, "latin1")) ?? "";
  const shared = kib(status, "RssShmem");
  const rollup = isExact && shared > 0 ? orNull(() => readFileSync(`${folder}/smaps_rollup`, "latin1")) : null;
  const counted = rollup === null ? shared : kib(rollup, "Pss_Shmem");
  const threads = Number(/^Threads:\s*([0-9]+)$/m.exec(status)?.[1] ?? 0);
  return { threads, bytes: (kib(status, "RssAnon") + kib(status, "VmSwap") + counted) * 1_024 };
}

function kib(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*([0-9]+) kB$`, "m").exec(text)?.[1] ?? 0);
}

function temporaryBytes(path: string): number {
  const system = orNull(() => statfsSync(path));
  if (system === null) return 0;
  return (system.blocks - system.bfree) * system.bsize + (system.files - system.ffree) * INODE_BYTES;
}

function numbers(folder: string): string[] {
  return orNull(() => readdirSync(folder))?.filter((name) => /^[0-9]+$/.test(name)) ?? [];
}

function orNull<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch {
    return null;
  }
}
