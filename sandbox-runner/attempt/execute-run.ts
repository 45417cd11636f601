/**
 * The executor: one process for one attempt at most. It prepares at once, and learns its lease from its input, which its
 * runner keeps open: when that ends, the runner is gone, and so the executor ends everything and itself.
 */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { RunOrder } from "#protocol/runner-link.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import type { Clone } from "../git/clone-plan.ts";
import { machinesWayOut } from "../network/parent-proxy.ts";
import { rehearseRun } from "../prepared/rehearse-run.ts";
import { shapeOf } from "../prepared/start-shape.ts";
import { createLog, type Log } from "../process/log.ts";
import { endMarkedProcesses } from "../process/marked-processes.ts";
import type { RunFolder } from "../process/run-folder.ts";
import { openRuntimeSandbox } from "../sandbox/runtime-sandbox.ts";
import type { SandboxResult } from "../sandbox/sandbox.ts";
import { FolderStore } from "../setup/folder-store.ts";
import {
  type ExecutorNews,
  type LeaseBrief,
  NEWS_DESCRIPTOR,
  nextBriefSchema,
  type PlaceBrief,
  placeBriefSchema,
  routineLine,
  shapeLine,
} from "./executor-brief.ts";
import { leave, workOnLease } from "./lease-work.ts";
import { StopSwitch } from "./stop-switch.ts";
import { RoutineTold } from "./tell-of-routine.ts";
import { Workplace } from "./workplace.ts";

const KILL_DEADLINE_MS = 5_000;
const BOOT_BYTES = 12;

// Whoever enters the sandbox may be another user, and reads what is written here: the run's own folder lets nobody else
// through.
process.umask(0o022);
const stop = new StopSwitch();
// The runner's log may be gone before the executor is.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});
process.on("SIGTERM", () => stop.stop("runner_stopped"));
// Ctrl-C in a terminal goes to the runner, which tells its executors in its own way.
process.on("SIGINT", () => {});

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const first = await nextBrief();
if (first !== null) await work(placeBriefSchema.parse(first));
process.exit(0);

/** @returns null when the input has ended, or when the executor is to stop before anything comes. */
async function nextBrief(): Promise<unknown> {
  const line = await Promise.race([input.next(), stop.stopped]);
  if (typeof line === "object" && line.done !== true) return JSON.parse(line.value);
  stop.stop("runner_stopped");
  return null;
}

async function work(brief: PlaceBrief): Promise<void> {
  const startedAt = Date.now();
  const { name, instance_url: instanceUrl, sandbox, bounds } = brief;
  const log = createLog(new Redactor([]), (line) => process.stdout.write(`${line}\n`));
  const place = await Workplace.make({
    name,
    instanceUrl,
    stateFolder: brief.state_folder,
    out: async () => machinesWayOut(process.env),
    signal: stop.signal,
    open: (folder, relayPort) => openSandbox(brief, folder, relayPort),
  });
  void place.prepared().then(async ({ isSpare, sandbox }) => {
    if (isSpare) await rehearseRun();
    // A lease may come meanwhile: its run is not to wait for this.
    if (place.isSpare) tidyUp();
    say("ready");
    const facts = { executor: name, ...sandbox, ms: Date.now() - startedAt };
    log(isSpare ? "spare_ready" : "sandbox_ready", facts, "no_other_user" in sandbox ? "warn" : "info");
  });
  const lease = await leaseFor(place, log);
  const routine = new RoutineTold({ isUsed: brief.serves_routines, tell: (expected) => say(routineLine(expected)) });
  const worker = {
    runner: { kind: "local" as const, id: brief.runner_id },
    boot: randomBytes(BOOT_BYTES).toString("hex"),
    instanceUrl,
    mark: name,
    sandbox,
    bounds,
    place,
    stop,
    setups: () => new FolderStore({ stateFolder: brief.state_folder }),
    onOrder: (order: RunOrder) => {
      say(shapeLine(shapeOf(order)));
      routine.onOrder(order);
    },
    onCloned: (order: RunOrder, clones: readonly Clone[]) => {
      if (place.canPrepare) void routine.onCloned(order, clones);
    },
    onHeard: () => say("started"),
    endProcesses: () => endMarkedProcesses(name, KILL_DEADLINE_MS, [process.pid]),
  };
  if (lease === null) return await leave(worker, log);
  void input.next().then(() => stop.stop("runner_stopped"));
  place.claim();
  say("begun");
  await workOnLease(lease, worker);
}

/** Prepares an agent for the runs that are expected, until there is one. @returns null when there will be none. */
async function leaseFor(place: Workplace, log: Log): Promise<LeaseBrief | null> {
  for (;;) {
    const line = await nextBrief();
    if (line === null) return null;
    const brief = nextBriefSchema.parse(line);
    if ("lease" in brief) return brief;
    const onReady = () => {
      tidyUp();
      say("agent");
    };
    void place.expect(brief.expect, { log, onReady, onUnfit: () => say("unfit") });
  }
}

async function openSandbox(brief: PlaceBrief, folder: RunFolder, relayPort: number): Promise<SandboxResult> {
  if (brief.sandbox === "none") return { ok: false, reason: "REVEILLE_SANDBOX=none is set." };
  return await openRuntimeSandbox(folder, brief.name, relayPort, brief.bounds, stop.signal);
}

/** What the preparation has left in memory would else be looked through in the midst of a run's beginning, which waits for that. */
function tidyUp(): void {
  void globalThis.gc?.();
}

/** The runner may be gone: then its input tells. */
function say(news: ExecutorNews | ReturnType<typeof shapeLine | typeof routineLine>): void {
  try {
    writeSync(NEWS_DESCRIPTOR, `${news}\n`);
  } catch {
    // EPIPE, or EBADF when nobody listens.
  }
}
