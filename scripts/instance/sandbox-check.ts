/** Whether runs on this machine will be sandboxed, as far as can be told beforehand. Each run's transcript has the truth. */
import { runCommand } from "#scripts/child-process.ts";
import { toolEnvironment } from "./tool-environment.ts";

const TRIAL_DEADLINE_MS = 5_000;

/** What the sandbox is made of, each with a call that works where it does. */
const TRIALS: [name: string, command: string, args: string[]][] = [
  ["bubblewrap", "bwrap", ["--unshare-user", "--unshare-pid", "--unshare-net", "--dev-bind", "/", "/", "true"]],
  ["socat", "socat", ["-V"]],
  ["ripgrep", "rg", ["--version"]],
];

/** @param setting REVEILLE_SANDBOX. @returns a sentence for the person who starts the instance. */
export async function describeSandbox(setting: string | undefined, signal: AbortSignal): Promise<string> {
  if (setting === "none") return "none, since REVEILLE_SANDBOX=none is set: agents work on this machine itself";
  if (process.platform !== "linux") return `none: it works on Linux only. ${WITHOUT}`;
  const env = toolEnvironment();
  const tried = await Promise.all(
    TRIALS.map(async ([name, command, args]) => {
      const outcome = await runCommand(command, args, { env, deadlineMs: TRIAL_DEADLINE_MS, signal });
      return outcome.ok ? [] : [name];
    }),
  );
  const faults = tried.flat();
  if (faults.length === 0) return "each run is shut into one of its own";
  return `none: ${faults.join(" and ")} can't be used here (Debian: apt-get install bubblewrap socat ripgrep). ${WITHOUT}`;
}

const WITHOUT = "The offline demo model runs without; a real model only with REVEILLE_SANDBOX=none";
