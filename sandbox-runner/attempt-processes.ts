/**
 * Which processes of this machine belong to an attempt, and how they are ended.
 *
 * Everything that an attempt starts has `REVEILLE_ATTEMPT=<run>.<generation>` in its environment. Inside the sandbox
 * the agent may start processes without it, but those live in the sandbox's process namespace, whose first process has
 * the mark: a marked process outside our own namespace therefore stands for everything in its namespace.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { signalProcess } from "./spawn.ts";

export const ATTEMPT_VARIABLE = "REVEILLE_ATTEMPT";
const POLL_MS = 20;

/**
 * Kills an attempt's processes until none is left.
 * @param attempt `<run id>.<generation>`.
 * @param spare processes that stay, for instance the caller.
 * @returns false when some were still there after `boundMs`.
 */
export async function endAttemptProcesses(
  attempt: string,
  boundMs: number,
  spare: readonly number[],
): Promise<boolean> {
  const deadline = Date.now() + boundMs;
  const namespaces = new Set<string>();
  for (let quiet = 0; quiet < 2; ) {
    const found = findAttemptProcesses(attempt, namespaces).filter((pid) => !spare.includes(pid));
    for (const pid of found) signalProcess(pid, "SIGKILL");
    if (found.length > 0 && Date.now() > deadline) return false;
    quiet = found.length === 0 ? quiet + 1 : 0;
    await sleep(POLL_MS);
  }
  return true;
}

/** Finds an attempt's processes. @param namespaces those learned so far; gains the ones that are seen. */
function findAttemptProcesses(attempt: string, namespaces: Set<string> = new Set()): number[] {
  const own = namespaceOf("self");
  const all = processIds().map((pid) => ({ pid, namespace: namespaceOf(pid), marked: isMarked(pid, attempt) }));
  for (const { namespace, marked } of all) {
    if (marked && namespace !== null && namespace !== own) namespaces.add(namespace);
  }
  return all
    .filter(({ namespace, marked }) => marked || (namespace !== null && namespaces.has(namespace)))
    .map(({ pid }) => Number(pid));
}

/** Tells a process from a later one with the same number: null when it is gone, or where there is no /proc. */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name may hold spaces and brackets; the fields after its last bracket do not. Start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return fields[0] === "Z" ? null : `${boot}:${fields[19]}`;
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

function isMarked(pid: string, attempt: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`.includes(`\0${ATTEMPT_VARIABLE}=${attempt}\0`);
  } catch {
    return false;
  }
}
