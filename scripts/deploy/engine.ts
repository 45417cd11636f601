/** Whether this machine has a Docker-compatible engine, which building the container image needs. */
import { runCommand } from "#scripts/child-process.ts";
import { wranglerEnvironment } from "./wrangler.ts";

const DEADLINE_MS = 15_000;

/** @returns why there is none, or null. Asks as wrangler will, by the program that it uses. */
export async function engineFault(environment: NodeJS.ProcessEnv): Promise<string | null> {
  const program = environment["WRANGLER_DOCKER_BIN"] ?? "docker";
  const env = wranglerEnvironment(environment);
  const asked = await runCommand(program, ["info", "--format", "{{.ServerVersion}}"], { env, deadlineMs: DEADLINE_MS });
  if (asked.ok) return null;
  return `no container engine answers "${program} info"`;
}
