/** The facts about this machine that belong to a measurement. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, totalmem } from "node:os";
import { runCommand } from "#scripts/child-process.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import type { Facts } from "../report.ts";
import { ROOT } from "./scratch.ts";

export async function machineFacts(): Promise<Facts> {
  const workerd = createRequire(import.meta.url).resolve("workerd/package.json");
  const options = { cwd: ROOT, env: toolEnvironment(), deadlineMs: 10_000 };
  const commit = await runCommand("git", ["rev-parse", "--short", "HEAD"], options);
  return {
    at: new Date().toISOString(),
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? "unknown",
    memory_mib: Math.round(totalmem() / 1_048_576),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    workerd: JSON.parse(await readFile(workerd, "utf8")).version,
    commit: commit.ok ? commit.stdout.trim() : null,
  };
}
