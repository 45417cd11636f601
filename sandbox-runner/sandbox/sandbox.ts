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
import { MARK_VARIABLE } from "../process/marked-processes.ts";
import type { RunBounds } from "../process/run-bounds.ts";
import type { RunFolder } from "../process/run-folder.ts";
import {
  awaitProcess,
  type Bounds,
  type Command,
  type CommandEnd,
  killGroup,
  type PipedProcess,
  type Place,
  startProcess,
} from "../process/spawn.ts";
import { within } from "../process/within.ts";
import { accountFiles, confinedArguments } from "./sandbox-arguments.ts";
import { launcherScript, launchScript, SANDBOX_TOOLS, sandboxConfig } from "./sandbox-config.ts";
import { giveTo, type Owner, ownIdentity, possibleOwners } from "./sandbox-owner.ts";
import { machineProc, probe } from "./sandbox-probe.ts";

export type SandboxResult =
  | {
      ok: true;
      sandbox: Sandbox;
      /** The user as whom commands run. */
      user: number;
      /** Why it is not another user's sandbox, which would be tighter; null when it is the tightest that is known. */
      declined: string | null;
    }
  | { ok: false; reason: string };

const NO_OTHER_USER = "The runner is root without the capabilities that another user's sandbox takes.";
const PRINT_DEADLINE_MS = 10_000;
const PRINT_CAP_BYTES = 1_000_000;
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

  /** What has been started in it and has not ended, as this machine numbers it. */
  entrances(): number[] {
    return [...this.#running].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
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
 * @param mark the mark of its processes.
 * @param confine what is made of the manager's words for bubblewrap.
 * @returns the reason, in one line, where this machine can't have one.
 */
export async function openSandbox(
  folder: RunFolder,
  mark: string,
  relayPort: number,
  bounds: RunBounds,
  signal: AbortSignal,
  confine: typeof confinedArguments = confinedArguments,
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
  try {
    const words = await managersWords(folder, relayPort, bounds, signal);
    let fault: string | null = null;
    for (const owner of possibleOwners(ownIdentity())) {
      const opened = await openAs(owner, words, folder, mark, bounds, confine, signal);
      if (opened.ok) return { ...opened, declined: fault ?? (owner.uid === 0 ? NO_OTHER_USER : null) };
      fault = opened.reason;
    }
    SandboxManager.cleanupAfterCommand();
    await SandboxManager.reset();
    return { ok: false, reason: fault ?? "" };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

type Opened = { ok: true; sandbox: Sandbox; user: number } | { ok: false; reason: string };

async function openAs(
  owner: Owner,
  words: readonly string[],
  folder: RunFolder,
  mark: string,
  bounds: RunBounds,
  confine: typeof confinedArguments,
  signal: AbortSignal,
): Promise<Opened> {
  try {
    giveTo(folder, owner);
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
  const confined = confine(words, { uid: owner.uid, ...writeAccounts(folder, owner), proc: machineProc() });
  if (confined === null) return { ok: false, reason: "Its manager starts bubblewrap in a way that is not known here." };
  const sandbox = new RuntimeSandbox(folder, mark, confined, owner, bounds);
  const fault = await probe(sandbox.run.bind(sandbox), folder, signal);
  if (fault === null) return { ok: true, sandbox, user: owner.uid };
  sandbox.kill();
  return { ok: false, reason: fault };
}

/** Starts the manager, and has it say with which arguments it would start bubblewrap. */
async function managersWords(
  folder: RunFolder,
  relayPort: number,
  bounds: RunBounds,
  signal: AbortSignal,
): Promise<string[]> {
  const launcher = join(folder.launch, "launcher.sh");
  const printer = join(folder.launch, "print-words.sh");
  await mkdir(join(folder.launch, "commands"), { recursive: true });
  await writeFile(launcher, launcherScript(bounds.processes), { mode: 0o755 });
  await writeFile(printer, "#!/bin/sh\nprintf '%s\\0' \"$@\"\n", { mode: 0o755 });
  await SandboxManager.initialize({ ...sandboxConfig(folder, relayPort), bwrapPath: printer });
  const line = await SandboxManager.wrapWithSandbox(`/bin/sh '${launcher}'`);
  const printed = startProcess([...BASH, line], { cwd: folder.neutral, env: { PATH: SANDBOX_TOOLS } });
  const end = await awaitProcess(printed, { deadlineMs: PRINT_DEADLINE_MS, outputCapBytes: PRINT_CAP_BYTES, signal });
  return end.stdout.split("\0").slice(0, -1);
}

function writeAccounts(folder: RunFolder, owner: Owner): { passwd: string; group: string } {
  const texts = accountFiles(owner, folder.home);
  const files = { passwd: join(folder.launch, "passwd"), group: join(folder.launch, "group") };
  writeFileSync(files.passwd, texts.passwd);
  writeFileSync(files.group, texts.group);
  return files;
}

/** Runs commands on this machine itself, in the same folders. */
export function withoutSandbox(): Sandbox {
  return new BareMachine();
}

/** A shell without start-up files: its input is a socket, which bash takes for a login from afar. */
const BASH = ["/bin/bash", "--noprofile", "--norc", "-c"] as const;

/**
 * What is done on the way in. Node passes on descriptors that it inherited itself; none but the three pipes may reach the
 * sandbox. $1 is the length of the longest file. When the machine's memory ends, the kernel takes the run before anything else. No core files.
 */
const ENTER = `
echo 1000 >/proc/self/oom_score_adj
ulimit -c 0
ulimit -f "$1" 2>/dev/null
shift
for n in $(ls /proc/self/fd 2>/dev/null); do [ "$n" -gt 2 ] && eval "exec $n>&-" 2>/dev/null; done
exec bwrap "$@"
`;

class RuntimeSandbox extends Sandbox {
  readonly kind = "sandbox-runtime";
  readonly #folder: RunFolder;
  readonly #mark: string;
  readonly #words: readonly string[];
  readonly #owner: Owner;
  /** In KiB. */
  readonly #longestFile: string;
  /** Launchers inside that wait for their command. */
  readonly #ahead = new Set<PipedProcess>();
  #count = 0;

  /** @param words bubblewrap's, which enter the sandbox and run the launcher there. */
  constructor(folder: RunFolder, mark: string, words: readonly string[], owner: Owner, bounds: RunBounds) {
    super();
    this.#folder = folder;
    this.#mark = mark;
    this.#words = words;
    this.#owner = owner;
    this.#longestFile = String(bounds.disk_mib * 1_024);
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

  /** Starts a launcher inside. What enters gets nothing of the command, which the launcher reads inside. */
  #enter(): PipedProcess {
    const env = { PATH: SANDBOX_TOOLS, HOME: this.#folder.neutral, [MARK_VARIABLE]: this.#mark };
    const as = this.#owner.uid === process.geteuid?.() ? {} : this.#owner;
    return this.keep(
      startProcess([...BASH, ENTER, "enter", this.#longestFile, ...this.#words], {
        cwd: this.#folder.neutral,
        env,
        ...as,
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
