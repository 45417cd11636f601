/** The lock of a state folder counts no process that has ended, whether or not its parent has heard of it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, vi } from "vitest";
import { lockStateFolder } from "#scripts/instance/lock.ts";

function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

it("is taken over from a process that nobody has reaped", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "reveille-lock-"));
  // The shell becomes a program that waits for no child, so that the child that has ended stays in the table.
  const parent = spawn("sh", ["-c", "true & echo $!; exec sleep 600"], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const [line] = await once(parent.stdout, "data");
    const pid = Number(String(line).trim());
    await vi.waitUntil(() => statOf(pid)[0] === "Z", { timeout: 20_000 });
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    writeFileSync(path.join(folder, "lock"), JSON.stringify({ pid, started: `${boot}:${statOf(pid)[19]}` }));
    expect(await lockStateFolder(folder)).toMatchObject({ ok: true });
  } finally {
    parent.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
