/**
 * The sandbox of a runner on some machine: bubblewrap around the attempt's folder and its relay.
 *
 * The sandbox's manager keeps its state for the whole process, so a process has one sandbox: the executor has one run.
 */

import { writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";
import { INSTANCE_HOST } from "#protocol/container-brief.ts";
import type { RunBounds } from "#protocol/run-bounds.ts";
import { MARK_VARIABLE } from "../process/marked-processes.ts";
import { type RunFolder, STEADY_HOME } from "../process/run-folder.ts";
import { type Inside, insideSandboxes } from "../process/run-usage.ts";
import { awaitProcess, type Command, type PipedProcess, type Place, startProcess } from "../process/spawn.ts";
import { within } from "../process/within.ts";
import { BASH, ENTER } from "./entering.ts";
import { Sandbox, type SandboxResult } from "./sandbox.ts";
import { accountFiles, confinedArguments, steadyHome } from "./sandbox-arguments.ts";
import { launcherScript, launchScript, SANDBOX_TOOLS, sandboxConfig } from "./sandbox-config.ts";
import { giveTo, type Owner, ownIdentity, possibleOwners } from "./sandbox-owner.ts";
import { machineProc, probe } from "./sandbox-probe.ts";

const NO_OTHER_USER = "The runner is root without the capabilities that another user's sandbox takes.";
const PRINT_DEADLINE_MS = 10_000;
const PRINT_CAP_BYTES = 1_000_000;
const ALIVE_DEADLINE_MS = 1_000;

/**
 * Builds the sandbox and tries it.
 * @param mark the mark of its processes.
 * @param confine what is made of the manager's words for bubblewrap.
 * @returns the reason, in one line, where this machine can't have one.
 */
export async function openRuntimeSandbox(
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
  const home = steadyHome(words);
  const confined = confine(words, {
    uid: owner.uid,
    ...writeAccounts(folder, owner, home ?? folder.home),
    proc: machineProc(),
    home: home === null ? null : folder.home,
  });
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

function writeAccounts(folder: RunFolder, owner: Owner, home: string): { passwd: string; group: string } {
  const texts = accountFiles(owner, home);
  const files = { passwd: join(folder.launch, "passwd"), group: join(folder.launch, "group") };
  writeFileSync(files.passwd, texts.passwd);
  writeFileSync(files.group, texts.group);
  return files;
}

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

  override get home(): string | null {
    return this.#words.includes(STEADY_HOME) ? STEADY_HOME : null;
  }

  /** Its programs ask a proxy for every host but their own, and the relay is that proxy. */
  override relayUrl(): string {
    return `http://${INSTANCE_HOST}`;
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

  override inside(): Inside {
    return insideSandboxes(this.entrances());
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
      startProcess([...BASH, ENTER, "enter", this.#longestFile, "bwrap", ...this.#words], {
        cwd: this.#folder.neutral,
        env,
        ...as,
      }),
    );
  }
}
