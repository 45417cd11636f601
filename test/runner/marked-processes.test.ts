/** Ending the processes with a mark ends those, whatever they hide behind, and no others. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { endMarkedProcesses, MARK_VARIABLE } from "#sandbox-runner/process/marked-processes.ts";
import { type PipedProcess, startProcess } from "#sandbox-runner/process/spawn.ts";
import { noSandbox } from "./support/bed.ts";
import { processesWith } from "./support/processes.ts";
import { until } from "./support/until.ts";

const BOUND_MS = 10_000;
const REUSE_MS = 3_000;

/** Starts a shell line in a process namespace of its own, as a sandbox does. */
function inNamespace(line: string, env: Record<string, string>, more: string[] = []): PipedProcess {
  const enter = ["--unshare-pid", "--die-with-parent", "--dev-bind", "/", "/", "--proc", "/proc"];
  return startProcess(["bwrap", ...enter, ...more, "/bin/sh", "-c", line], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", ...env },
  });
}

const runs = (name: string) => processesWith(name).some((line) => line.split(" ")[1] === name);
const endless = (name: string) => `exec -a ${name} tail -f /dev/null`;

describe.skipIf(noSandbox !== null)("processes with a mark", () => {
  it("end with what has no mark but lives in their namespace", async () => {
    const mark = `mark-${crypto.randomUUID()}`;
    const name = `hidden-${crypto.randomUUID()}`;
    inNamespace(`env -i setsid /bin/bash -c '${endless(name)}' & wait`, { [MARK_VARIABLE]: mark });
    await until("the hidden process runs", () => runs(name), BOUND_MS);
    expect(await endMarkedProcesses(mark, BOUND_MS, [])).toBe(true);
    expect([...processesWith(mark), ...processesWith(name)]).toEqual([]);
  });

  it("end alone, though the kernel gives their namespace's number to another", async () => {
    const mark = `mark-${crypto.randomUUID()}`;
    const environment = { [MARK_VARIABLE]: mark };
    // Several, because a freed number goes to whichever namespace comes next, and not each of them is for processes.
    const first = Array.from({ length: 8 }, () => inNamespace("read line", environment));
    await until("each is in its namespace", () => processesWith(mark).length >= 3 * first.length, BOUND_MS);
    const spare = processesWith(mark).map((line) => Number(line.split(" ")[0]));
    const own = namespaceOf("self");
    const numbers = new Set(
      spare.map((pid) => namespaceOf(String(pid))).filter((number) => number !== null && number !== own),
    );
    const ending = endMarkedProcesses(mark, BOUND_MS, spare);
    // While something of the mark goes on starting, its end is not there yet.
    const decoy = () => exitOf(startProcess(["/bin/sleep", "60"], { cwd: "/", env: environment }));
    await decoy();
    for (const child of first) child.stdin.end("go\n");
    await Promise.all(first.map(exitOf));
    const others: PipedProcess[] = [];
    const isTaken = () => readdirSync("/proc").some((pid) => numbers.has(namespaceOf(pid)) && isAlive(pid));
    const isKilled = () => others.some(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
    await until("the first are gone", () => !isTaken(), BOUND_MS);
    // The kernel frees a number a while after its namespace is gone.
    for (const end = Date.now() + REUSE_MS; Date.now() < end && !isTaken() && !isKilled(); ) {
      others.push(inNamespace("read line; exit 7", {}, others.length % 3 === 0 ? ["--unshare-uts"] : []));
      await decoy();
    }
    // Whoever has such a number by now is seen at least once more.
    await decoy();
    await decoy();
    expect(await ending).toBe(true);
    const ends = others.map(exitOf);
    for (const child of others) child.stdin.end("go\n");
    expect(new Set(await Promise.all(ends))).toEqual(new Set([7]));
  });
});

function namespaceOf(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

/** Not merely waiting for its parent to take notice of its end. */
function isAlive(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1") !== "";
  } catch {
    return false;
  }
}

function exitOf(child: PipedProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((ended) => child.once("exit", (code) => ended(code)));
}
