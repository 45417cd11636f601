/** What runs on this machine, seen from outside the runner: by words in command lines and environments. */
import { readdirSync, readFileSync } from "node:fs";

/** @returns `pid command` of each process that has the text in its command line or its environment. */
export function processesWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      const command = readProc(pid, "cmdline");
      const found = command.includes(text) || readProc(pid, "environ").includes(text);
      return found ? [`${pid} ${command.replaceAll("\0", " ").slice(0, 100)}`] : [];
    });
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
