/** Pure: what is added to the arguments with which the sandbox's manager starts bubblewrap. */

import { dirname } from "node:path";
import { STEADY_HOME } from "../process/run-folder.ts";

/** A file or folder right below /proc that is no process. */
export interface ProcEntry {
  name: string;
  isFolder: boolean;
  /** The permission bits. */
  mode: number;
}

export interface Confinement {
  /** Inside, this user's own id is seen. */
  uid: number;
  /** Files outside that are seen as /etc/passwd and /etc/group. */
  passwd: string;
  group: string;
  /** What the machine has right below /proc beside its processes. */
  proc: readonly ProcEntry[];
  /** The folder outside that is shown as the run's home at its steady place; null for none. */
  home: string | null;
}

/** In bytes: what lies there is the machine's memory. */
const TMP_BYTES = 268_435_456;
const SHM_BYTES = 67_108_864;

/** Namespaces of its own for System V IPC and POSIX queues, for the host's name, and for control groups. A name that resolves. */
const NAMESPACES = ["--unshare-ipc", "--unshare-cgroup-try", "--unshare-uts", "--hostname", "localhost"];

/**
 * @param given the manager's words for bubblewrap, without the program's name.
 * @returns the same sandbox with less of the machine in it; null when the words are not of the form that is known, for then
 * it can't be said what the sandbox would be.
 */
export function confinedArguments(given: readonly string[], confinement: Confinement): string[] | null {
  const end = given.indexOf("--");
  const options = given.slice(0, Math.max(end, 0));
  if (options.includes("--args") || !["--dev", "--proc"].every((option) => options.includes(option))) return null;
  const here: string[] = [];
  const last: string[] = [];
  for (let at = 0; at < end; ) {
    const change = changed(options[at] ?? "", options[at + 1] ?? "", confinement);
    here.push(...change.here);
    last.push(...change.last);
    at += change.words;
  }
  return [...NAMESPACES, ...here, ...last, ...given.slice(end)];
}

interface Change {
  /** How many of the given words it stands for. */
  words: number;
  here: string[];
  /** Behind everything else, because something is mounted into it. */
  last: string[];
}

/** @returns where the run's home can be shown; null where something of the machine's is to be seen there already. */
export function steadyHome(given: readonly string[]): string | null {
  const isFree = given.every((word) => word !== STEADY_HOME && !word.startsWith(`${STEADY_HOME}/`));
  const hasFolder = given.some((word, at) => word === "--tmpfs" && given[at + 1] === dirname(STEADY_HOME));
  return isFree && hasFolder ? STEADY_HOME : null;
}

function changed(option: string, place: string, { uid, passwd, group, proc, home }: Confinement): Change {
  const mount = [option, place];
  switch (option) {
    case "--tmpfs":
      // But for /tmp, an empty folder that hides what the machine has there: nothing is to be written into it.
      if (place === "/tmp") return { words: 2, here: ["--size", String(TMP_BYTES), ...mount], last: [] };
      return {
        words: 2,
        here: home !== null && place === dirname(STEADY_HOME) ? [...mount, "--bind", home, STEADY_HOME] : mount,
        last: ["--remount-ro", place],
      };
    case "--dev": {
      const accounts = ["--ro-bind", passwd, "/etc/passwd", "--ro-bind", group, "/etc/group"];
      const shm = ["--size", String(SHM_BYTES), "--perms", "1777", "--tmpfs", `${place}/shm`];
      return { words: 2, here: [...accounts, ...mount, ...shm], last: ["--remount-ro", place] };
    }
    case "--proc":
      return { words: 2, here: [...mount, ...(uid === 0 ? coveredProc(place, proc) : [])], last: [] };
    default:
      return { words: 1, here: [option], last: [] };
  }
}

/**
 * For user 0, who owns all of /proc: what it could write there is mounted read-only, what it alone could read is hidden.
 * Others can do neither, and must keep an uncovered /proc: the manager's helper mounts another, which the kernel refuses
 * where one is covered. /proc/sys/user counts for the sandbox's own user namespace alone, and the helper writes to it.
 */
function coveredProc(place: string, entries: readonly ProcEntry[]): string[] {
  const covers = entries.flatMap(({ name, isFolder, mode }) => {
    const path = `${place}/${name}`;
    if (isFolder) return ["--ro-bind", path, path];
    if ((mode & 0o004) === 0) return ["--ro-bind", "/dev/null", path];
    return (mode & 0o222) === 0 ? [] : ["--ro-bind", path, path];
  });
  return [...covers, "--bind-try", `${place}/sys/user`, `${place}/sys/user`];
}

/** The accounts that are seen inside: root, the run's own, and nobody. */
export function accountFiles(owner: { uid: number; gid: number }, home: string): { passwd: string; group: string } {
  const isRoot = owner.uid === 0;
  const users = [
    `root:x:0:0:root:${isRoot ? home : "/root"}:/bin/bash`,
    ...(isRoot ? [] : [`agent:x:${owner.uid}:${owner.gid}:agent:${home}:/bin/bash`]),
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
  ];
  const groups = ["root:x:0:", ...(owner.gid === 0 ? [] : [`agent:x:${owner.gid}:`]), "nogroup:x:65534:"];
  return { passwd: `${users.join("\n")}\n`, group: `${groups.join("\n")}\n` };
}
