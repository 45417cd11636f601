/** Processes of this machine, seen from outside of whoever has started them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { MARK_VARIABLE } from "#sandbox-runner/process/marked-processes.ts";
import { nowMs } from "./clock.ts";

const LOOK_EVERY_MS = 2;
const DEADLINE_MS = 30_000;

/** Waits for a process with these words in its command line. @returns the mark of the run that it belongs to. */
export async function markOf(words: string): Promise<string> {
  for (const deadline = nowMs() + DEADLINE_MS; nowMs() < deadline; await delay(LOOK_EVERY_MS * 10)) {
    for (const pid of processIds()) {
      if (!commandOf(pid).startsWith(words)) continue;
      const [, mark] = new RegExp(`(?:^|\0)${MARK_VARIABLE}=([^\0]+)`).exec(read(pid, "environ")) ?? [];
      if (mark !== undefined) return mark;
    }
  }
  throw new Error(`no process called ${words} has been started`);
}

/** Those that work for the run of this mark, but not its executor. */
export function workersOf(mark: string): string[] {
  return processIds().filter(
    (pid) => read(pid, "environ").includes(`${MARK_VARIABLE}=${mark}`) && !commandOf(pid).includes("execute-run"),
  );
}

/** Whether a process is another, or was started by it, or by what that has started. */
export function isBelow(pid: string, above: number | undefined): boolean {
  for (let one = pid; one !== "" && one !== "0"; ) {
    if (one === String(above)) return true;
    one = /^PPid:\s+(\d+)$/m.exec(read(one, "status"))?.[1] ?? "";
  }
  return false;
}

/** @returns the moment at which all of them are gone, which is looked for every two milliseconds. */
export async function goneAt(pids: readonly string[]): Promise<number> {
  for (const deadline = nowMs() + DEADLINE_MS; nowMs() < deadline; await delay(LOOK_EVERY_MS)) {
    if (pids.every((pid) => !existsSync(`/proc/${pid}`))) return nowMs();
  }
  throw new Error("some processes do not end");
}

function processIds(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
}

function commandOf(pid: string): string {
  return read(pid, "cmdline").replaceAll("\0", " ");
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
