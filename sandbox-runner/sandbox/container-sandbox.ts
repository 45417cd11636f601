/**
 * The sandbox of a run that has a container of its own. The container is the wall to the outside; inside, commands are another
 * user's than the runner. On Cloudflare a user alone is no wall, because every process has the rights that root has: so
 * commands start without any right, and can't gain one.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunBounds } from "#protocol/run-bounds.ts";
import type { RunFolder } from "../process/run-folder.ts";
import { type Inside, insideUser, processesOf } from "../process/run-usage.ts";
import {
  awaitProcess,
  type Command,
  type PipedProcess,
  type Place,
  signalProcess,
  startProcess,
} from "../process/spawn.ts";
import { trustAuthority } from "./authority.ts";
import { BASH, ENTER } from "./entering.ts";
import { privilegeFault } from "./privileges.ts";
import { Sandbox, type SandboxResult } from "./sandbox.ts";
import { launchScript, SANDBOX_TOOLS } from "./sandbox-config.ts";
import { giveTo, type Owner } from "./sandbox-owner.ts";

const PROBE_DEADLINE_MS = 20_000;
const KILL_DEADLINE_MS = 5_000;
/** A run can have a few processes more than it may: so it is seen that it has, and ended for that. */
const ROOM = 64;

/** Where everybody in a container may write. As the run's user: what is others' there stays. */
const REMOVE_LEFT_OVER = `
set -- /tmp /var/tmp /dev/shm
chmod -R u+rwx "$@"
find "$@" -mindepth 1 -delete
`;
const REMOVE_DEADLINE_MS = 60_000;

/** Says as whom it runs; $1 is the runner's number. */
const PROBE = `
cat /proc/self/status || exit 1
if cat "/proc/$1/environ" >/dev/null 2>&1; then echo "the runner's environment can be read" >&2; exit 1; fi
for folder in / /etc /usr /opt "$2"; do
  if [ -w "$folder" ]; then echo "$folder can be written" >&2; exit 1; fi
done
`;

/**
 * Makes the user as whom commands run, gives it the run's folders, and tries what a command can do.
 * @param own variables that each command has before those of its own.
 */
export async function openContainerSandbox(
  folder: RunFolder,
  owner: Owner,
  bounds: RunBounds,
  own: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<SandboxResult> {
  try {
    addAccount(owner, folder.home);
    giveTo(folder, owner);
    const sandbox = new ContainerSandbox(owner, bounds, own, join(folder.launch, "commands"));
    const end = await sandbox.run(
      ["/bin/sh", "-c", PROBE, "probe", String(process.pid), folder.root],
      { cwd: folder.workspace, env: { PATH: SANDBOX_TOOLS } },
      { deadlineMs: PROBE_DEADLINE_MS, outputCapBytes: 10_000, signal },
    );
    const words = end.stderr.trim().split("\n").at(-1) ?? "";
    const fault =
      end.how === "exited" && end.code === 0
        ? privilegeFault(end.stdout, owner)
        : `A command could not be run as another user: ${words || end.how}.`;
    return fault === null ? { ok: true, sandbox, user: owner.uid, declined: null } : { ok: false, reason: fault };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Ends all processes of the run's user. Root's own signal to all would also reach what the platform has in the container, so it
 * is sent as that user; the kernel lets no process slip away meanwhile by starting another.
 * @returns false when some were still there after a while.
 */
export async function endProcessesOf(owner: Owner): Promise<boolean> {
  const until = performance.now() + KILL_DEADLINE_MS;
  const signal = new AbortController().signal;
  do {
    const killer = startProcess([...asUser(owner), "/bin/sh", "-c", "kill -9 -1"], { cwd: "/", env: {} });
    await awaitProcess(killer, { deadlineMs: KILL_DEADLINE_MS, outputCapBytes: 1_000, signal });
    const left = processesOf(owner.uid);
    if (left.length === 0) return true;
    endEach(left);
  } while (performance.now() < until);
  return false;
}

/** For a run that leaves no process to send that signal with. What is stopped starts no other while the rest is being ended. */
function endEach(processes: readonly number[]): void {
  for (const signal of ["SIGSTOP", "SIGKILL"] as const) for (const pid of processes) signalProcess(pid, signal);
}

/** Gives the run's user a name: some programs refuse to work for one that has none. */
function addAccount({ uid, gid }: Owner, home: string): void {
  appendFileSync("/etc/passwd", `agent:x:${uid}:${gid}:agent:${home}:/bin/bash\n`);
  appendFileSync("/etc/group", `agent:x:${gid}:\n`);
}

/** The words before a command that is to be that user's, without any right. */
function asUser({ uid, gid }: Owner): Command {
  const sets = ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"];
  const words = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", ...sets, "--no-new-privs", "--"];
  return ["/usr/bin/setpriv", ...words];
}

class ContainerSandbox extends Sandbox {
  readonly kind = "container";
  readonly #owner: Owner;
  readonly #own: Readonly<Record<string, string>>;
  readonly #way: readonly string[];
  readonly #commands: string;
  #authority: Record<string, string> | null = null;
  #count = 0;

  /** @param commands the folder for the commands' scripts. */
  constructor(
    owner: Owner,
    { processes, disk_mib }: RunBounds,
    own: Readonly<Record<string, string>>,
    commands: string,
  ) {
    super();
    this.#owner = owner;
    this.#own = own;
    this.#commands = commands;
    mkdirSync(commands, { recursive: true });
    // The kernel counts the processes of a user, and so of this run alone.
    const script = `ulimit -u ${processes + ROOM} 2>/dev/null\n${ENTER}`;
    this.#way = [script, "enter", String(disk_mib * 1_024), ...asUser(owner)];
  }

  /** What still has rights gets nothing of the command: its variables are set once it is the run's user, by its script. */
  override start(command: Command, { cwd, env }: Place): PipedProcess {
    this.#authority ??= trustAuthority();
    this.#count += 1;
    const script = join(this.#commands, `${this.#count}.sh`);
    writeFileSync(script, launchScript(command, { cwd, env: { ...this.#authority, ...this.#own, ...env } }));
    return this.keep(
      startProcess([...BASH, ...this.#way, "/bin/sh", script], { cwd: "/", env: { PATH: SANDBOX_TOOLS } }),
    );
  }

  override async endLeftOver(): Promise<void> {
    await endProcessesOf(this.#owner);
  }

  override async removeLeftOver(signal: AbortSignal): Promise<void> {
    const bounds = { deadlineMs: REMOVE_DEADLINE_MS, outputCapBytes: 0, signal };
    await this.run(["/bin/sh", "-c", REMOVE_LEFT_OVER], { cwd: "/", env: { PATH: SANDBOX_TOOLS } }, bounds);
  }

  override inside(): Inside {
    return insideUser(this.#owner.uid);
  }

  override breach(): string | null {
    const faults = this.entrances().flatMap((pid) => {
      const status = statusOf(pid);
      return status === null ? [] : (privilegeFault(status, this.#owner) ?? []);
    });
    return faults[0] ?? null;
  }
}

/** @returns null when the process has ended. */
function statusOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/status`, "latin1");
  } catch {
    return null;
  }
}
