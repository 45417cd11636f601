/**
 * Finds and ends the processes of this machine that belong to one executor.
 *
 * Everything that an executor starts has its mark, `REVEILLE_ATTEMPT=<name>`, in its environment. Inside the sandbox
 * the agent may start processes without it, but those live in the sandbox's process namespace, whose first process has
 * the mark: a marked process outside our own namespace therefore stands for everything in its namespace.
 */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { signalProcess } from "./spawn.ts";

/** The name stays as it is: processes that an older runner has left are found by it. */
export const MARK_VARIABLE = "REVEILLE_ATTEMPT";
const POLL_MS = 20;

/**
 * Kills the processes with a mark until none is left.
 * @param mark the executor's name.
 * @param spare processes that stay, for instance the caller.
 * @returns false when some were still there after `boundMs`.
 */
export async function endMarkedProcesses(mark: string, boundMs: number, spare: readonly number[]): Promise<boolean> {
  const deadline = performance.now() + boundMs;
  const namespaces = new HeldNamespaces();
  try {
    for (let quiet = 0; quiet < 2; ) {
      const found = findMarkedProcesses(mark, namespaces).filter((pid) => !spare.includes(pid));
      for (const pid of found) signalProcess(pid, "SIGKILL");
      if (found.length > 0 && performance.now() > deadline) return false;
      quiet = found.length === 0 ? quiet + 1 : 0;
      await sleep(POLL_MS);
    }
    return true;
  } finally {
    namespaces.letGo();
  }
}

/** Finds the processes with a mark. @param namespaces those learned so far; gains the ones that are seen. */
function findMarkedProcesses(mark: string, namespaces: HeldNamespaces): number[] {
  const own = namespaceOf("self");
  const all = processIds().map((pid) => ({ pid, namespace: namespaceOf(pid), isMarked: isMarked(pid, mark) }));
  for (const { pid, namespace, isMarked } of all) {
    if (isMarked && namespace !== null && namespace !== own) namespaces.hold(pid);
  }
  return all
    .filter(({ pid, namespace, isMarked }) => isMarked || (namespaces.holds(namespace) && isAlive(pid)))
    .map(({ pid }) => Number(pid));
}

/**
 * Process namespaces, each held by a descriptor: while it is, the kernel gives its number to no other namespace, in which
 * another run would be taken for this one.
 */
class HeldNamespaces {
  readonly #descriptors = new Map<string, number>();

  hold(pid: string): void {
    try {
      const descriptor = openSync(`/proc/${pid}/ns/pid`, "r");
      const name = `pid:[${fstatSync(descriptor).ino}]`;
      if (this.#descriptors.has(name)) closeSync(descriptor);
      else this.#descriptors.set(name, descriptor);
    } catch {
      // The process has ended: what else is in its namespace is ending with it, or has the mark too.
    }
  }

  holds(name: string | null): boolean {
    return name !== null && this.#descriptors.has(name);
  }

  letGo(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
  }
}

/** Tells a process from a later one with the same number: null when it is gone, or where there is no /proc. */
export function startTimeOf(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return statField(pid, 3) === "Z" ? null : `${boot}:${statField(pid, 22)}`;
  } catch {
    return null;
  }
}

function processIds(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  } catch {
    return [];
  }
}

function namespaceOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

/**
 * A process that has ended and only waits for its parent to notice holds nothing and does nothing. One whose first
 * thread alone has ended looks the same, but for its other threads.
 */
function isAlive(pid: string): boolean {
  try {
    const [state, threads] = [statField(pid, 3), Number(statField(pid, 20))];
    return !(state === "Z" || state === "X") || threads > 1;
  } catch {
    return false;
  }
}

/** A field of a process's status by its number from 3 on. @throws when the process is gone, or where there is no /proc. */
function statField(pid: string | number, number: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name may hold spaces and brackets; the fields after its last bracket do not.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[number - 3];
}

function isMarked(pid: string, mark: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`.includes(`\0${MARK_VARIABLE}=${mark}\0`);
  } catch {
    return false;
  }
}
