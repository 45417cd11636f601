/** The lock of a state folder counts no process that has ended, whether or not its parent has heard of it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { expect, it, vi } from "vitest";
import { lockStateFolder } from "#scripts/instance/lock.ts";

function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

it("is taken over from a process that nobody has reaped", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "reveille-lock-"));
  // The shell becomes a program that waits for no child. The child ends only after that, since a shell may reap it first.
  const script = "cat <&3 >/dev/null & echo $!; exec sleep 600";
  const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore", "pipe"] });
  try {
    const [line] = await once(parent.stdout as Readable, "data");
    const pid = Number(String(line).trim());
    await vi.waitUntil(() => readFileSync(`/proc/${parent.pid}/comm`, "latin1") === "sleep\n");
    (parent.stdio[3] as Writable).end();
    await vi.waitUntil(() => statOf(pid)[0] === "Z");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    writeFileSync(path.join(folder, "lock"), JSON.stringify({ pid, started: `${boot}:${statOf(pid)[19]}` }));
    expect(await lockStateFolder(folder)).toMatchObject({ ok: true });
  } finally {
    parent.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
