/**
 * Where a run's commands run: a sandbox around the attempt's folder and its relay, or, where the operator accepts it
 * or only the demo model speaks, this machine itself.
 *
 * The sandbox's manager keeps its state for the whole process, so a process has one sandbox: the executor has one run.
 */

import { writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";
import type { RunFolder } from "./run-folder.ts";
import { launcherScript, launchScript, SANDBOX_TOOLS, sandboxConfig } from "./sandbox-config.ts";
import {
  awaitProcess,
  type Bounds,
  type Command,
  type CommandEnd,
  killGroup,
  type PipedProcess,
  startProcess,
} from "./spawn.ts";

export interface Sandbox {
  kind: "sandbox-runtime" | "none";
  /** Starts a command inside. */
  start(command: Command, place: { cwd: string; env: Record<string, string> }): PipedProcess;
  /** Runs a command inside to its end. */
  run(command: Command, place: { cwd: string; env: Record<string, string> }, bounds: Bounds): Promise<CommandEnd>;
  /** Kills everything inside, at once. */
  kill(): void;
  /** Takes the sandbox down; nothing may run inside any more. */
  close(): Promise<void>;
}

export type SandboxResult = { ok: true; sandbox: Sandbox } | { ok: false; reason: string };

const PROBE_DEADLINE_MS = 20_000;

/**
 * Builds the sandbox and tries it.
 * @returns the reason, in one line, where this machine can't have one.
 */
export async function openSandbox(folder: RunFolder, relayPort: number, signal: AbortSignal): Promise<SandboxResult> {
  if (process.platform !== "linux") return { ok: false, reason: "The sandbox works on Linux only." };
  const missing = SandboxManager.isSupportedPlatform()
    ? SandboxManager.checkDependencies().errors
    : ["unsupported platform"];
  if (missing.length > 0) return { ok: false, reason: `${missing.join(", ")}.` };
  // The manager takes these from its own process: where its bridge's sockets lie, and TMPDIR inside. It guards the
  // files around its working folder, so it stands in an empty one.
  process.env["TMPDIR"] = folder.sockets;
  process.env["CLAUDE_CODE_TMPDIR"] = folder.temporary;
  process.chdir(folder.neutral);
  const launcher = join(folder.launch, "launcher.sh");
  try {
    await mkdir(join(folder.launch, "commands"));
    await writeFile(launcher, launcherScript(), { mode: 0o755 });
    await SandboxManager.initialize(sandboxConfig(folder, relayPort));
    const sandbox = new RuntimeSandbox(folder, await SandboxManager.wrapWithSandbox(`/bin/sh '${launcher}'`));
    const fault = await probe(sandbox, folder, signal);
    if (fault === null) return { ok: true, sandbox };
    await sandbox.close();
    return { ok: false, reason: fault };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Runs commands on this machine itself, in the same folders. */
export function withoutSandbox(): Sandbox {
  return new BareMachine();
}

/** A sandbox that starts a command, and in which that command is in a process namespace of its own. */
async function probe(sandbox: Sandbox, folder: RunFolder, signal: AbortSignal): Promise<string | null> {
  const end = await sandbox.run(
    ["/bin/sh", "-c", 'test "$$" -lt 100 && test ! -e "$1"', "probe", folder.neutral],
    { cwd: folder.workspace, env: { PATH: SANDBOX_TOOLS } },
    { deadlineMs: PROBE_DEADLINE_MS, outputCapBytes: 2_000, signal },
  );
  if (end.how === "exited" && end.code === 0) return null;
  const words = end.stderr.trim().split("\n").at(-1) ?? "";
  return `A command could not be run in the sandbox${words === "" ? "." : `: ${words}`}`;
}

class RunningCommands {
  readonly #running = new Set<PipedProcess>();

  add(child: PipedProcess): PipedProcess {
    this.#running.add(child);
    child.once("close", () => this.#running.delete(child));
    return child;
  }

  kill(): void {
    for (const child of this.#running) killGroup(child.pid);
  }
}

/** Node passes on descriptors that it inherited itself; none but the three pipes may reach the sandbox. */
const CLOSE_DESCRIPTORS =
  'for n in $(ls /proc/self/fd 2>/dev/null); do [ "$n" -gt 2 ] && eval "exec $n>&-" 2>/dev/null; done; ';

class RuntimeSandbox implements Sandbox {
  readonly kind = "sandbox-runtime";
  readonly #folder: RunFolder;
  readonly #wrapped: string;
  readonly #commands = new RunningCommands();
  #count = 0;

  /** @param wrapped the shell line that enters the sandbox and runs the launcher there. */
  constructor(folder: RunFolder, wrapped: string) {
    this.#folder = folder;
    this.#wrapped = wrapped;
  }

  start(command: Command, place: { cwd: string; env: Record<string, string> }): PipedProcess {
    this.#count += 1;
    const script = join(this.#folder.launch, "commands", `${this.#count}.sh`);
    writeFileSync(script, launchScript(command, place.cwd));
    // The line comes from the sandbox's manager and holds nothing of the command, which the launcher reads inside. It is
    // run outside, and its input is a socket: without --norc, bash takes that for a login from afar and reads ~/.bashrc,
    // which is the agent's to write.
    return this.#commands.add(
      startProcess(["/bin/bash", "--noprofile", "--norc", "-c", CLOSE_DESCRIPTORS + this.#wrapped], {
        cwd: this.#folder.neutral,
        env: { ...place.env, REVEILLE_LAUNCH: script },
      }),
    );
  }

  run(command: Command, place: { cwd: string; env: Record<string, string> }, bounds: Bounds): Promise<CommandEnd> {
    return awaitProcess(this.start(command, place), bounds);
  }

  kill(): void {
    this.#commands.kill();
  }

  async close(): Promise<void> {
    this.kill();
    SandboxManager.cleanupAfterCommand();
    await SandboxManager.reset();
  }
}

class BareMachine implements Sandbox {
  readonly kind = "none";
  readonly #commands = new RunningCommands();

  start(command: Command, place: { cwd: string; env: Record<string, string> }): PipedProcess {
    return this.#commands.add(startProcess(command, place));
  }

  run(command: Command, place: { cwd: string; env: Record<string, string> }, bounds: Bounds): Promise<CommandEnd> {
    return awaitProcess(this.start(command, place), bounds);
  }

  kill(): void {
    this.#commands.kill();
  }

  async close(): Promise<void> {
    this.kill();
  }
}
