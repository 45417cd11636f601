/**
 * The runner in a container of one run: learns its lease from its environment, or waits until it is brought, works on it, and
 * ends. It ends with 0 whatever became of the run: an engine starts a container that has failed anew, and a run's second
 * process would be refused.
 */
import { randomBytes, randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import {
  CONTAINER_BRIEF,
  CONTAINER_WAITS,
  type ContainerBrief,
  containerBriefSchema,
  INSTANCE_HOST,
  WAITING_PORT,
} from "#protocol/container-brief.ts";
import { errorText } from "#protocol/log.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import { awaitBrief } from "./attempt/await-brief.ts";
import { leave, workOnLease } from "./attempt/lease-work.ts";
import { StopSwitch } from "./attempt/stop-switch.ts";
import { Workplace } from "./attempt/workplace.ts";
import { bridgeTo } from "./link/bridge.ts";
import { runnersWayOut } from "./network/runners-way-out.ts";
import { createLog, type Log } from "./process/log.ts";
import { containerBounds } from "./process/run-bounds.ts";
import { runsFolder, STEADY_HOME } from "./process/run-folder.ts";
import { endProcessesOf, openContainerSandbox } from "./sandbox/container-sandbox.ts";
import { proxyVariables } from "./sandbox/sandbox-config.ts";
import { containerOwner } from "./sandbox/sandbox-owner.ts";
import { InstanceStore } from "./setup/instance-store.ts";

const STATE_FOLDER = "/var/lib/reveille";
const BOOT_BYTES = 12;
/**
 * The platform kills a container 15 minutes after it has asked it to end. Most runs are through by then; one that is not is
 * stopped while there is time for its last frame.
 */
const WINDING_DOWN_MS = 13 * 60_000;

/** A container that waits is ended long before: by then nobody knows of it any more. */
const LONGEST_WAIT_MS = 3_600_000;
/** There once this container has waited: what an engine starts again must not wait a second time. */
const WAITED = join(STATE_FOLDER, "has-waited");

process.umask(0o022);
const token = process.env[CONTAINER_WAITS];
delete process.env[CONTAINER_WAITS];
const brief = token === undefined ? takeBrief() : null;
if (typeof brief === "string") {
  process.stderr.write(`${brief}\n`);
  process.exit(1);
}
let log = logWithout(brief === null ? [token ?? ""] : secretsOf(brief));
process.on("uncaughtException", end);
const stop = stopSwitch();
await (brief === null ? waitAndWork(token ?? "") : work(brief)).catch(end);
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

async function work(brief: ContainerBrief): Promise<void> {
  const name = nameOf(brief);
  const instanceUrl =
    brief.host_socket === undefined
      ? brief.instance_url
      : await bridgeTo(brief.host_socket, () => stop.stop("runner_stopped"));
  const made = await makePlace(name, instanceUrl, brief);
  made.place.claim();
  await workIn(made, brief, instanceUrl);
}

/** Does all that needs no lease, waits for one, and works on it in what has been prepared. */
async function waitAndWork(token: string): Promise<void> {
  mkdirSync(STATE_FOLDER, { recursive: true });
  if (existsSync(WAITED)) return;
  writeFileSync(WAITED, "");
  const instanceUrl = `http://${INSTANCE_HOST}`;
  const made = await makePlace("waiting", instanceUrl, {});
  const prepared = made.place.prepared();
  // Nothing is worked on that would have to be brought to an end first.
  const unwanted = new AbortController();
  process.once("SIGTERM", () => unwanted.abort());
  const brief = await awaitBrief({
    token,
    port: WAITING_PORT,
    ready: prepared.then(() => {}),
    given: AbortSignal.any([stop.signal, unwanted.signal, AbortSignal.timeout(LONGEST_WAIT_MS)]),
  });
  if (brief === null) return await leave({ ...made, mark: made.name }, log);
  log = logWithout(secretsOf(brief));
  made.place.claim();
  await workIn(made, brief, instanceUrl);
}

type Made = Awaited<ReturnType<typeof makePlace>>;

/** @param name of its folder, and the mark of its processes. @param given by whoever starts the container for a runner of theirs. */
async function makePlace(name: string, instanceUrl: string, given: Pick<ContainerBrief, "bounds" | "hosts_socket">) {
  const { hosts_socket: hostsSocket } = given;
  const bounds = given.bounds ?? containerBounds(memoryBytes(), freeBytes(), mostProcesses());
  const owner = containerOwner(randomInt(1_000_000) / 1_000_000);
  mkdirSync(runsFolder(STATE_FOLDER), { recursive: true, mode: 0o711 });
  const place = await Workplace.make({
    name,
    instanceUrl,
    stateFolder: STATE_FOLDER,
    home: STEADY_HOME,
    // The platform takes all that leaves it; at an engine of a runner's machine there is no way out but by that runner.
    out: hostsSocket === undefined ? null : (policy) => runnersWayOut(hostsSocket, policy),
    signal: stop.signal,
    open: (folder, relayPort) => {
      const own = hostsSocket === undefined ? {} : proxyVariables(relayPort);
      return openContainerSandbox(folder, owner, bounds, own, stop.signal);
    },
  });
  return { name, place, bounds, endProcesses: () => endProcessesOf(owner) };
}

async function workIn({ name, ...made }: Made, brief: ContainerBrief, instanceUrl: string): Promise<void> {
  await workOnLease(brief, {
    ...made,
    runner: brief.runner ?? { kind: "container", id: nameOf(brief) },
    boot: randomBytes(BOOT_BYTES).toString("hex"),
    instanceUrl,
    mark: name,
    sandbox: "container",
    stop,
    setups: ({ lease, link_token }) => new InstanceStore({ instanceUrl, runId: lease.run_id, linkToken: link_token }),
    onOrder: () => {},
    onCloned: () => {},
    onHeard: () => {},
  });
}

function nameOf({ lease: { run_id, generation } }: ContainerBrief): string {
  return `${run_id}.${generation}`;
}

/**
 * SIGTERM is the platform's, which needs the machine; SIGINT means at once. The instance itself stops a run by its link. Both
 * are heard to the end: said a second time, to a program that does not listen any more, they would kill it.
 */
function stopSwitch(): StopSwitch {
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

function logWithout(secrets: readonly string[]): Log {
  return createLog(new Redactor(secrets), (line) => process.stdout.write(`${line}\n`));
}

function secretsOf({ link_token, proxy_token }: ContainerBrief): string[] {
  return [link_token, proxy_token];
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
function end(error: unknown): never {
  log("container_failed", { error: errorText(error) }, "warn");
  process.exit(0);
}
