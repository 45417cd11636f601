/** What a run uses of the machine, read from process file systems. Processes that end meanwhile are not counted. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statfsSync, statSync } from "node:fs";
import type { ProcessUsage } from "./run-bounds.ts";

/** Each file in a temporary file system takes about so much of the kernel's memory, whatever is in it. */
const INODE_BYTES = 1_024;
const TEMPORARY = ["tmp", "dev/shm"];
/** The kernel's number for a temporary file system. */
const TMPFS = 0x01021994;

/** What is a run's own. */
export interface Inside {
  /** The folders of its processes in a process file system. */
  processes: readonly string[];
  /** Where a temporary file system of its own may be. */
  temporary: readonly string[];
  /** Folders that it may write in, beside those of its own folder. */
  folders: readonly string[];
}

export const NOTHING_INSIDE: Inside = { processes: [], temporary: [], folders: [] };

/**
 * What is in sandboxes with a process file system of their own: the work grows with the processes of the run, and not with those
 * of the machine. The first process in each is what entered has started. While that one is still on its way its root folder
 * is the machine's: of a sandbox's process file system this process is no part, of the machine's it is.
 * @param entrances the processes that have entered, as this machine numbers them.
 */
export function insideSandboxes(entrances: readonly number[]): Inside {
  const roots = entrances
    .flatMap((pid) => childrenOf(pid).map((child) => `/proc/${child}/root`))
    .filter((root) => orNull(() => lstatSync(`${root}/proc`)) !== null && !isOwn(`${root}/proc`));
  return {
    processes: roots.flatMap((root) => numbers(`${root}/proc`).map((pid) => `${root}/proc/${pid}`)),
    temporary: roots.flatMap((root) => TEMPORARY.map((place) => `${root}/${place}`)),
    folders: [],
  };
}

/** What a user has, who has nothing but the run: for a container of the run's own. */
export function insideUser(uid: number): Inside {
  return {
    processes: processesOf(uid).map((pid) => `/proc/${pid}`),
    temporary: TEMPORARY.map((place) => `/${place}`),
    folders: ["/tmp", "/var/tmp"],
  };
}

/** A user's processes that have not ended, by any of the ids that a process has. */
export function processesOf(uid: number): number[] {
  const isTheirs = new RegExp(`^Uid:.*\\s${uid}(?:\\s|$)`, "m");
  return numbers("/proc")
    .filter((pid) => {
      const status = orNull(() => readFileSync(`/proc/${pid}/status`, "latin1")) ?? "";
      // One whose first thread alone has ended looks like one that has ended, but for its other threads.
      const hasEnded = /^State:\s+[ZX]/m.test(status) && threadsIn(status) <= 1;
      return isTheirs.test(status) && !hasEnded;
    })
    .map(Number);
}

/** @param isExact whether memory that several processes share counts once; this takes longer. Otherwise it counts for each. */
export function processUsage({ processes, temporary }: Inside, isExact: boolean): ProcessUsage {
  const total: ProcessUsage = { processes: 0, memoryBytes: 0 };
  for (const folder of processes) {
    const { threads, bytes } = statusOf(folder, isExact);
    total.processes += threads;
    total.memoryBytes += bytes;
  }
  for (const path of temporary) total.memoryBytes += temporaryBytes(path);
  return total;
}

/** Bytes of files on a file system that have no name any more and are held open by a run. */
export function namelessBytes({ processes }: Inside, device: number): number {
  const seen = new Map<number, number>();
  for (const process of processes) {
    for (const descriptor of numbers(`${process}/fd`)) {
      const file = orNull(() => statSync(`${process}/fd/${descriptor}`));
      if (file?.isFile() && file.nlink === 0 && file.dev === device) seen.set(file.ino, file.blocks * 512);
    }
  }
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
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
  return { threads: threadsIn(status), bytes: (kib(status, "RssAnon") + kib(status, "VmSwap") + counted) * 1_024 };
}

function threadsIn(status: string): number {
  return Number(/^Threads:\s*([0-9]+)$/m.exec(status)?.[1] ?? 0);
}

function kib(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*([0-9]+) kB$`, "m").exec(text)?.[1] ?? 0);
}

function temporaryBytes(path: string): number {
  const system = orNull(() => statfsSync(path));
  if (system?.type !== TMPFS) return 0;
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
