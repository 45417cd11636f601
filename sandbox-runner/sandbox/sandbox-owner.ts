/**
 * As whom a run's commands enter their sandbox. A runner that is root enters as a user without an account: the kernel lets
 * user 0 write its settings below /proc/sys whatever namespaces it is in, and counts no processes of it.
 */
import { chmodSync, chownSync, lchownSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { RUN_GROUP } from "#protocol/run-group.ts";
import type { RunFolder } from "../process/run-folder.ts";

export interface Owner {
  uid: number;
  gid: number;
}

export interface RunnerIdentity extends Owner {
  pid: number;
  /** The effective capabilities, as a mask. */
  capabilities: bigint;
}

/**
 * 605 user ids that systemd's and Debian's registers leave unused. They are small enough for a container with 65,536
 * ids, and for archives that hold at most seven octal digits.
 */
const FIRST_UID = 60_578;
const UIDS = 605;

/** What it takes to give files to another user, become it, see its processes, end them, and remove what it leaves. */
const NEEDED = { chown: 0, dacOverride: 1, fowner: 3, kill: 5, setgid: 6, setuid: 7, sysPtrace: 19 };

/** @returns as whom to enter, the best first. The last is the runner itself. */
export function possibleOwners({ uid, gid, pid, capabilities }: RunnerIdentity): Owner[] {
  const isAble = Object.values(NEEDED).every((bit) => ((capabilities >> BigInt(bit)) & 1n) === 1n);
  const own = { uid, gid };
  return uid === 0 && isAble ? [{ uid: FIRST_UID + (pid % UIDS), gid: RUN_GROUP }, own] : [own];
}

/** @param chance at random, from 0 to less than 1: containers on one machine share the kernel's count of a user's processes. */
export function containerOwner(chance: number): Owner {
  return { uid: FIRST_UID + Math.floor(chance * UIDS), gid: RUN_GROUP };
}

/** This process, as the kernel has it. */
export function ownIdentity(): RunnerIdentity {
  const [uid, gid] = [process.geteuid?.() ?? -1, process.getegid?.() ?? -1];
  return { uid, gid, pid: process.pid, capabilities: effectiveCapabilities() };
}

/** Gives an owner what it writes in, and the way there. Only root can give anything away. @throws when it can't. */
export function giveTo(folder: RunFolder, { uid, gid }: Owner): void {
  if (process.geteuid?.() !== 0) return;
  for (const path of [folder.workspace, folder.home, folder.temporary, folder.sockets]) chownSync(path, uid, gid);
  for (const name of readdirSync(folder.sockets)) lchownSync(join(folder.sockets, name), uid, gid);
  chownSync(folder.root, 0, gid);
  chmodSync(folder.root, uid === 0 ? 0o700 : 0o710);
}

/** Lets those who enter sandboxes go through a folder of the runner's, and nobody else. For root alone; others enter as themselves. */
export function letRunsThrough(path: string): void {
  if (process.geteuid?.() !== 0) return;
  const { mode, uid } = statSync(path);
  // A folder that a group may use already keeps that group.
  if (uid !== 0 || (mode & 0o071) !== 0) return;
  try {
    chownSync(path, 0, RUN_GROUP);
    chmodSync(path, (mode & 0o777) | 0o010);
  } catch {
    // Then the sandbox of another user finds no way, and root's is taken.
  }
}

function effectiveCapabilities(): bigint {
  try {
    const [, mask = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1")) ?? [];
    return BigInt(`0x${mask}`);
  } catch {
    return 0n;
  }
}
