/** Tries a sandbox: whether it starts a command, and whether what that command must not reach is out of its reach. */
import { readdirSync, readlinkSync, statSync } from "node:fs";
import type { RunFolder } from "../process/run-folder.ts";
import type { Bounds, Command, CommandEnd, Place } from "../process/spawn.ts";
import type { ProcEntry } from "./sandbox-arguments.ts";
import { SANDBOX_TOOLS } from "./sandbox-config.ts";

const PROBE_DEADLINE_MS = 20_000;

/** Namespaces of which the sandbox has its own, and what is shared with the machine where it has not. */
const NAMESPACES = {
  pid: "processes are shared with the machine",
  ipc: "System V IPC is shared with the machine",
  uts: "the host's name is shared with the machine",
  net: "the network is shared with the machine",
};

/** Kernel settings by which user 0 of any namespace could take the machine, or stop it. They are opened, nothing is written. */
const KERNEL_SETTINGS = [
  "kernel/core_pattern",
  "kernel/modprobe",
  "kernel/sysrq",
  "vm/drop_caches",
  "fs/suid_dumpable",
];
const READ_ONLY_FOLDERS = ["/", "/etc", "/usr", "/var", "/dev", "/proc/sys", "/sys"];

/** $1: a folder that is not to be seen. Then, in pairs, each namespace of the runner's and what is said when it is met inside. */
const SCRIPT = `
fail() { echo "$1" >&2; exit 1; }
[ "$$" -lt 100 ] && [ ! -e "$1" ] || fail "files are shared with the machine"
shift
while [ $# -gt 0 ]; do
  kind=\${1%%:*}
  own=$(readlink "/proc/self/ns/$kind") && [ -n "$own" ] || fail "its namespaces can't be read"
  [ "$own" != "$1" ] || fail "$2"
  shift 2
done
for name in ${KERNEL_SETTINGS.join(" ")}; do
  if (: 3>>"/proc/sys/$name") 2>/dev/null; then fail "kernel settings can be written"; fi
done
for folder in ${READ_ONLY_FOLDERS.join(" ")}; do
  if [ -w "$folder" ]; then fail "$folder can be written"; fi
done
exit 0
`;

type Run = (command: Command, place: Place, bounds: Bounds) => Promise<CommandEnd>;

/** @param run runs a command in the sandbox. @returns what is wrong with it, in one line, or null. */
export async function probe(run: Run, folder: RunFolder, signal: AbortSignal): Promise<string | null> {
  const namespaces = Object.entries(NAMESPACES).flatMap(([kind, fault]) => [
    readlinkSync(`/proc/self/ns/${kind}`),
    fault,
  ]);
  const end = await run(
    ["/bin/sh", "-c", SCRIPT, "probe", folder.neutral, ...namespaces],
    { cwd: folder.workspace, env: { PATH: SANDBOX_TOOLS } },
    { deadlineMs: PROBE_DEADLINE_MS, outputCapBytes: 2_000, signal },
  );
  if (end.how === "exited" && end.code === 0) return null;
  const words = end.stderr.trim().split("\n").at(-1) ?? "";
  return `A command could not be run in the sandbox${words === "" ? "." : `: ${words}`}`;
}

/** What this machine has right below /proc beside its processes, without links to them. */
export function machineProc(): ProcEntry[] {
  return readdirSync("/proc", { withFileTypes: true }).flatMap((entry) => {
    if (/^[0-9]+$/.test(entry.name) || entry.isSymbolicLink()) return [];
    try {
      const { mode } = statSync(`/proc/${entry.name}`);
      return [{ name: entry.name, isFolder: entry.isDirectory(), mode: mode & 0o777 }];
    } catch {
      return [];
    }
  });
}
