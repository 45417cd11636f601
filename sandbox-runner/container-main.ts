/**
 * The runner in a container of one run: learns its lease from its environment, works on it, and ends. It ends with 0 whatever
 * became of the run: an engine starts a container that has failed anew, and a run's second process would be refused.
 */
import { randomBytes, randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statfsSync } from "node:fs";
import { totalmem } from "node:os";
import { CONTAINER_BRIEF, type ContainerBrief, containerBriefSchema } from "#protocol/container-brief.ts";
import { errorText } from "#protocol/log.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import { workOnLease } from "./attempt/lease-work.ts";
import { StopSwitch } from "./attempt/stop-switch.ts";
import { Workplace } from "./attempt/workplace.ts";
import { bridgeTo } from "./link/bridge.ts";
import { byParent } from "./network/way-out.ts";
import { createLog, type Log } from "./process/log.ts";
import { containerBounds } from "./process/run-bounds.ts";
import { runsFolder, STEADY_HOME } from "./process/run-folder.ts";
import { endProcessesOf, openContainerSandbox } from "./sandbox/container-sandbox.ts";
import { containerOwner } from "./sandbox/sandbox-owner.ts";
import { InstanceStore } from "./setup/instance-store.ts";

const STATE_FOLDER = "/var/lib/reveille";
const BOOT_BYTES = 12;
/**
 * The platform kills a container 15 minutes after it has asked it to end. Most runs are through by then; one that is not is
 * stopped while there is time for its last frame.
 */
const WINDING_DOWN_MS = 13 * 60_000;

process.umask(0o022);
const brief = takeBrief();
if (typeof brief === "string") {
  process.stderr.write(`${brief}\n`);
  process.exit(1);
}
const log = createLog(new Redactor([brief.link_token, brief.proxy_token]), (line) => process.stdout.write(`${line}\n`));
process.on("uncaughtException", (error) => end(log, error));
await work(brief, log).catch((error) => end(log, error));
process.exit(0);

/** The brief, no longer in the environment; or what is wrong with it, in one line. */
function takeBrief(): ContainerBrief | string {
  const text = process.env[CONTAINER_BRIEF];
  delete process.env[CONTAINER_BRIEF];
  if (text === undefined) return `${CONTAINER_BRIEF}: not set; the instance starts this program, for one run`;
  try {
    return containerBriefSchema.parse(JSON.parse(text));
  } catch {
    // What is wrong would tell what is in it.
    return `${CONTAINER_BRIEF}: not of the form that this version knows; deploy the instance and its image together`;
  }
}

async function work(brief: ContainerBrief, log: Log): Promise<void> {
  const { run_id, generation } = brief.lease;
  const name = `${run_id}.${generation}`;
  const owner = containerOwner(randomInt(1_000_000) / 1_000_000);
  const stop = stopSwitch(log);
  mkdirSync(runsFolder(STATE_FOLDER), { recursive: true, mode: 0o711 });
  const instanceUrl =
    brief.host_socket === undefined
      ? brief.instance_url
      : await bridgeTo(brief.host_socket, () => stop.stop("runner_stopped"));
  const bounds = brief.bounds ?? containerBounds(memoryBytes(), freeBytes(), mostProcesses());
  const place = await Workplace.make({
    name,
    instanceUrl,
    stateFolder: STATE_FOLDER,
    home: STEADY_HOME,
    out: brief.host_socket === undefined ? null : byParent({ socketPath: brief.host_socket }),
    signal: stop.signal,
    open: (folder) => openContainerSandbox(folder, owner, bounds, stop.signal),
  });
  place.claim();
  await workOnLease(brief, {
    runner: brief.runner ?? { kind: "container", id: name },
    boot: randomBytes(BOOT_BYTES).toString("hex"),
    instanceUrl,
    mark: name,
    sandbox: "container",
    bounds,
    place,
    stop,
    setups: ({ lease, link_token }) => new InstanceStore({ instanceUrl, runId: lease.run_id, linkToken: link_token }),
    onHeard: () => {},
    endProcesses: () => endProcessesOf(owner),
  });
}

/**
 * SIGTERM is the platform's, which needs the machine; SIGINT means at once. The instance itself stops a run by its link. Both
 * are heard to the end: said a second time, to a program that does not listen any more, they would kill it.
 */
function stopSwitch(log: Log): StopSwitch {
  const stop = new StopSwitch();
  let winding: NodeJS.Timeout | undefined;
  process.on("SIGTERM", () => {
    if (winding !== undefined) return;
    log("winding_down", { ms: WINDING_DOWN_MS }, "warn");
    winding = setTimeout(() => stop.stop("runner_stopped"), WINDING_DOWN_MS);
  });
  process.on("SIGINT", () => stop.stop("runner_stopped"));
  return stop;
}

/** What the engine allows, or all that is there. */
function memoryBytes(): number {
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}

function freeBytes(): number {
  const { bavail, bsize } = statfsSync("/");
  return bavail * bsize;
}

/** How many processes and threads the engine allows, under either version of the kernel's control groups. */
function mostProcesses(): number {
  const file = ["/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max"].find((path) => existsSync(path));
  const allowed = file === undefined ? Number.NaN : Number.parseInt(readFileSync(file, "latin1"), 10);
  return Number.isNaN(allowed) ? Number.POSITIVE_INFINITY : allowed;
}

/** The instance finds out by itself that nobody works on the run any more. */
function end(log: Log, error: unknown): never {
  log("container_failed", { error: errorText(error) }, "warn");
  process.exit(0);
}
