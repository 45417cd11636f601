/** With what the container of a run is started: no network, few rights, and the engine's own limits. Pure. */
import { CONTAINER_BRIEF } from "#protocol/container-brief.ts";
import type { RunBounds } from "#protocol/run-bounds.ts";

/** Where a container finds its way out. */
const SOCKETS = "/run/reveille";
export const SOCKET_NAME = "instance.sock";
export const CONTAINER_SOCKET = `${SOCKETS}/${SOCKET_NAME}`;
/** And its way to hosts of the internet. */
export const HOSTS_SOCKET_NAME = "hosts.sock";
export const CONTAINER_HOSTS_SOCKET = `${SOCKETS}/${HOSTS_SOCKET_NAME}`;

/** Labels by which containers are found again: the runner's state folder, and the executor. */
export const OWNER_LABEL = "reveille.state";
export const NAME_LABEL = "reveille.executor";

/** The runner in the container, and its tools, take their part beside the run's own. */
const OWN_MEMORY_MIB = 512;
const OWN_PROCESSES = 64;

/** What the runner in the container needs to become the run's user, to give it its files, and to see it to its end. */
const CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETPCAP", "SETUID", "SYS_PTRACE"];

export interface ContainerOptions {
  name: string;
  /** Of all containers of one runner. */
  owner: string;
  bounds: RunBounds;
  image: string;
}

/** A container for a run. @param sockets the folder with its ways out. The brief comes by the environment, so that no list of processes shows it. */
export function runArguments({ name, owner, bounds, image }: ContainerOptions, sockets: string): string[] {
  const memory = `${bounds.memory_mib + OWN_MEMORY_MIB}m`;
  return [
    "run",
    "--rm",
    ...["--name", `reveille-${name}`],
    ...["--label", `${OWNER_LABEL}=${owner}`, "--label", `${NAME_LABEL}=${name}`],
    // Which image works is the operator's choice: no registry is asked when a run starts.
    ...["--pull", "never"],
    ...["--network", "none"],
    // What it writes is read from its output, and is nobody else's.
    ...["--log-driver", "none"],
    ...["--memory", memory, "--memory-swap", memory],
    ...["--pids-limit", String(bounds.processes + OWN_PROCESSES)],
    ...["--security-opt", "no-new-privileges"],
    ...["--cap-drop", "ALL", ...CAPABILITIES.flatMap((name) => ["--cap-add", name])],
    ...["--env", CONTAINER_BRIEF, "--volume", `${sockets}:${SOCKETS}`, image],
  ];
}
