/** What counts as a run's own: nothing of the machine that it has not left yet. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { insideSandboxes, namelessBytes, processUsage } from "#sandbox-runner/process/run-usage.ts";

const running: ReturnType<typeof spawn>[] = [];

afterEach(() => {
  for (const { pid } of running.splice(0)) if (pid !== undefined) process.kill(-pid, "SIGKILL");
});

/** A process that is on its way into a sandbox, before it has a file system of its own. */
async function entering(): Promise<number> {
  const child = spawn("sh", ["-c", "tail -f /dev/null & echo started; wait"], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  running.push(child);
  await once(child.stdout, "data");
  if (child.pid === undefined) throw new Error("it has not started");
  return child.pid;
}

it("counts nothing of the machine while a process has not entered its sandbox yet", async () => {
  const entrances = [await entering()];
  for (const isExact of [false, true]) {
    expect(processUsage(insideSandboxes(entrances), isExact)).toEqual({ processes: 0, memoryBytes: 0 });
  }
  expect(namelessBytes(insideSandboxes(entrances), statSync("/tmp").dev)).toBe(0);
});
