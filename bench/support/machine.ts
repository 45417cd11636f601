/** The facts about this machine that belong to a measurement. */
import { cpus, totalmem } from "node:os";
import { runCommand } from "#scripts/child-process.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import type { Facts } from "../report.ts";
import { ROOT } from "./scratch.ts";

/** @param workerds the programs that have served, each of which tells its version. */
export async function machineFacts(workerds: readonly string[]): Promise<Facts> {
  const options = { cwd: ROOT, env: toolEnvironment(), deadlineMs: 10_000 };
  const told = await Promise.all(workerds.map((program) => runCommand(program, ["--version"], options)));
  const commit = await runCommand("git", ["rev-parse", "--short", "HEAD"], options);
  return {
    at: new Date().toISOString(),
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? "unknown",
    memory_mib: Math.round(totalmem() / 1_048_576),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    workerd: [...new Set(told.map((one) => (one.ok ? one.stdout.trim() : one.message)))],
    commit: commit.ok ? commit.stdout.trim() : null,
  };
}
