/**
 * Where a run's commands run: a sandbox around the attempt's folder and its relay, or, where the operator accepts it
 * or only the demo model speaks, this machine itself.
 *
 * The sandbox's manager keeps its state for the whole process, so a process has one sandbox: the executor has one run.
 */

import { writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";
import { ATTEMPT_VARIABLE } from "./attempt-processes.ts";
import type { RunFolder } from "./run-folder.ts";
import { launcherScript, launchScript, SANDBOX_TOOLS, sandboxConfig } from "./sandbox-config.ts";
import {
  awaitProcess,
  type Bounds,
  type Command,
  type CommandEnd,
  killGroup,
  type PipedProcess,
  type Place,
  startProcess,
} from "./spawn.ts";
import { within } from "./within.ts";

export type SandboxResult = { ok: true; sandbox: Sandbox } | { ok: false; reason: string };

const PROBE_DEADLINE_MS = 20_000;
const ALIVE_DEADLINE_MS = 1_000;

/** Where commands run: in a sandbox, or on this machine itself. */
export abstract class Sandbox {
  abstract readonly kind: "sandbox-runtime" | "none";
  readonly #running = new Set<PipedProcess>();

  /** Starts a command. */
  abstract start(command: Command, place: Place): PipedProcess;

  /** Makes so many commands to come start sooner. */
  enterAhead(_count: number): void {}

  /** Whether what is started in it can still reach its relay. */
  async isAlive(): Promise<boolean> {
    return true;
  }

  /** Runs a command to its end. */
  run(command: Command, place: Place, bounds: Bounds): Promise<CommandEnd> {
    return awaitProcess(this.start(command, place), bounds);
  }

  /** Kills everything inside, at once. */
  kill(): void {
    for (const child of this.#running) killGroup(child.pid);
  }

  /** Takes the sandbox down; nothing may run inside any more. */
  async close(): Promise<void> {
    this.kill();
  }

  protected keep(child: PipedProcess): PipedProcess {
    this.#running.add(child);
    child.once("close", () => this.#running.delete(child));
    return child;
  }
}

/**
 * Builds the sandbox and tries it.
 * @param attempt the mark of its processes.
 * @returns the reason, in one line, where this machine can't have one.
 */
export async function openSandbox(
  folder: RunFolder,
  attempt: string,
  relayPort: number,
  signal: AbortSignal,
): Promise<SandboxResult> {
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
    await mkdir(join(folder.launch, "commands"), { recursive: true });
    await writeFile(launcher, launcherScript(), { mode: 0o755 });
    await SandboxManager.initialize(sandboxConfig(folder, relayPort));
    const wrapped = await SandboxManager.wrapWithSandbox(`/bin/sh '${launcher}'`);
    const sandbox = new RuntimeSandbox(folder, attempt, wrapped);
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

/** Node passes on descriptors that it inherited itself; none but the three pipes may reach the sandbox. */
const CLOSE_DESCRIPTORS =
  'for n in $(ls /proc/self/fd 2>/dev/null); do [ "$n" -gt 2 ] && eval "exec $n>&-" 2>/dev/null; done; ';

class RuntimeSandbox extends Sandbox {
  readonly kind = "sandbox-runtime";
  readonly #folder: RunFolder;
  readonly #attempt: string;
  readonly #wrapped: string;
  /** Launchers inside that wait for their command. */
  readonly #ahead = new Set<PipedProcess>();
  #count = 0;

  /** @param wrapped the shell line that enters the sandbox and runs the launcher there. */
  constructor(folder: RunFolder, attempt: string, wrapped: string) {
    super();
    this.#folder = folder;
    this.#attempt = attempt;
    this.#wrapped = wrapped;
  }

  override start(command: Command, place: Place): PipedProcess {
    this.#count += 1;
    const script = join(this.#folder.launch, "commands", `${this.#count}.sh`);
    writeFileSync(script, launchScript(command, place));
    const [waiting] = this.#ahead;
    const child = waiting ?? this.#enter();
    this.#ahead.delete(child);
    child.stdin.write(`${script}\n`);
    return child;
  }

  override enterAhead(count: number): void {
    for (let number = 0; number < count; number += 1) {
      const child = this.#enter();
      this.#ahead.add(child);
      child.once("exit", () => this.#ahead.delete(child));
    }
  }

  override isAlive(): Promise<boolean> {
    const socket = connect(SandboxManager.getLinuxHttpSocketPath() ?? "");
    const answered = new Promise<boolean>((settle) => {
      socket.once("connect", () => settle(true));
      socket.once("error", () => settle(false));
    });
    return within(ALIVE_DEADLINE_MS, answered, false).finally(() => socket.destroy());
  }

  override async close(): Promise<void> {
    this.kill();
    SandboxManager.cleanupAfterCommand();
    await SandboxManager.reset();
  }

  /**
   * Starts a launcher inside. The line that enters comes from the sandbox's manager and is run outside: it gets nothing of
   * the command, which the launcher reads inside. The shell's input is a socket, which bash takes for a login from afar
   * and would read ~/.bashrc without --norc.
   */
  #enter(): PipedProcess {
    const env = { PATH: SANDBOX_TOOLS, HOME: this.#folder.neutral, [ATTEMPT_VARIABLE]: this.#attempt };
    return this.keep(
      startProcess(["/bin/bash", "--noprofile", "--norc", "-c", CLOSE_DESCRIPTORS + this.#wrapped], {
        cwd: this.#folder.neutral,
        env,
      }),
    );
  }
}

class BareMachine extends Sandbox {
  readonly kind = "none";

  override start(command: Command, place: Place): PipedProcess {
    return this.keep(startProcess(command, place));
  }
}
