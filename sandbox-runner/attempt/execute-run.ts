/**
 * The executor: one process for one attempt at most. It prepares at once, and learns its lease from its input, which its
 * runner keeps open: when that ends, the runner is gone, and so the executor ends everything and itself.
 */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { errorText } from "#protocol/log.ts";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { faultOf, outcomeOf } from "../agent/outcome.ts";
import { RunLink } from "../link/run-link.ts";
import { ScrubbedFrames } from "../link/scrubbed-frames.ts";
import { createLog, type Log } from "../process/log.ts";
import { endMarkedProcesses } from "../process/marked-processes.ts";
import { Redactor } from "../process/redact.ts";
import { noteLease, removeRunFolder } from "../process/run-folder.ts";
import { within } from "../process/within.ts";
import { Attempt } from "./attempt.ts";
import { watchBounds } from "./bounds-watch.ts";
import {
  type ExecutorNews,
  type LeaseBrief,
  leaseBriefSchema,
  NEWS_DESCRIPTOR,
  type PlaceBrief,
  placeBriefSchema,
} from "./executor-brief.ts";
import { StopSwitch } from "./stop-switch.ts";
import { Workplace } from "./workplace.ts";

/** How long the executor waits for its order. */
const ORDER_DEADLINE_MS = 60_000;
/** How long the executor waits for its last frame to be stored: the instance may be restarting. */
const FAREWELL_MS = 600_000;
const HURRIED_FAREWELL_MS = 1_500;
const KILL_DEADLINE_MS = 5_000;

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
  const log = createLog(new Redactor([]), (line) => process.stdout.write(`${line}\n`));
  const place = await Workplace.make(brief, stop.signal);
  void place.prepared().then(({ isSpare, sandbox }) => {
    say("ready");
    const facts = { executor: brief.name, ...sandbox, ms: Date.now() - startedAt };
    log(isSpare ? "spare_ready" : "sandbox_ready", facts, "no_other_user" in sandbox ? "warn" : "info");
  });
  const lease = await nextBrief();
  if (lease !== null) {
    void input.next().then(() => stop.stop("runner_stopped"));
    place.claim();
    say("begun");
    return await execute(brief, leaseBriefSchema.parse(lease), place);
  }
  await place.close();
  await endEverything(brief.name, log);
  await removeFolder(place, log);
}

/** The runner may be gone: then its input tells. */
function say(news: ExecutorNews): void {
  try {
    writeSync(NEWS_DESCRIPTOR, `${news}\n`);
  } catch {
    // EPIPE, or EBADF when nobody listens.
  }
}

async function execute(brief: PlaceBrief, { lease, link_token, proxy_token }: LeaseBrief, place: Workplace) {
  const startedAt = Date.now();
  const redactor = new Redactor([link_token, proxy_token]);
  const log = createLog(redactor, (line) => process.stdout.write(`${line}\n`));
  // For people who look into the folders; the attempt does without.
  void noteLease(place.folder.root, lease).catch(() => {});
  const ordered = Promise.withResolvers<RunOrder>();
  const link = new RunLink({
    instanceUrl: brief.instance_url,
    runId: lease.run_id,
    linkToken: link_token,
    runnerId: brief.runner_id,
    onOrder: ordered.resolve,
    onCancel: () => stop.stop("canceled"),
    onEnded: () => stop.stop("ended"),
    onDown: (why) => log("run_link_down", { ...lease, why }, "warn"),
  });
  const order = await within(ORDER_DEADLINE_MS, Promise.race([ordered.promise, stop.stopped]), undefined);
  const frames = new ScrubbedFrames(redactor, link);
  const attempt = order === undefined ? null : newAttempt(order, brief, proxy_token, place, link, frames);
  const failure = attempt === null ? null : await drive(attempt, place, brief);
  await place.close();
  await endEverything(brief.name, log);
  let outcome: string = stop.reason ?? "no_order";
  if (attempt !== null) {
    const ending = outcomeOf(stop.reason, attempt.phase, failure);
    outcome = "error" in ending ? `${ending.status}: ${ending.error.code}` : ending.status;
    frames.send({ kind: "finished", outcome: ending, report: attempt.report, seen: attempt.seen });
    await farewell(link);
  }
  await link.close();
  log("run", { ...lease, outcome, ms: Date.now() - startedAt });
  await removeFolder(place, log);
}

function newAttempt(
  order: RunOrder,
  brief: PlaceBrief,
  proxyToken: string,
  place: Workplace,
  link: RunLink,
  frames: ScrubbedFrames,
): Attempt {
  let isHeard = false;
  const heard = () => {
    if (!isHeard) say("started");
    isHeard = true;
  };
  return new Attempt({
    order,
    mark: brief.name,
    place,
    proxyToken,
    sandbox: brief.sandbox,
    signal: stop.signal,
    // Frames that an attempt makes after it was stopped are dropped: they would come after its last frame.
    send: (body) => {
      if (stop.signal.aborted) return;
      frames.send(body);
      if (body.kind === "event" && isAgentsOwn(body.event)) heard();
    },
    sendDelta: (delta) => {
      if (stop.signal.aborted) return;
      frames.sendDelta(delta);
      heard();
    },
    room: () => Promise.race([link.room(), stop.stopped]),
  });
}

function isAgentsOwn({ type }: RunnerEvent): boolean {
  return type === "tool.call" || type.startsWith("agent.");
}

/** Runs the attempt to its end, its deadline, or until it uses more than it may. */
async function drive(attempt: Attempt, place: Workplace, { bounds }: PlaceBrief): Promise<RunError | null> {
  const timer = setTimeout(() => stop.stop("timed_out"), attempt.timeoutMs);
  let excess: RunError | null = null;
  const watching = new AbortController();
  watchBounds({
    bounds,
    folder: place.folder,
    entrances: () => place.entrances(),
    signal: AbortSignal.any([stop.signal, watching.signal]),
    onExcess: ({ code, detail }) => {
      excess = runError(code, attempt.phase, detail);
      stop.stop("exceeded");
    },
  });
  const failure = await Promise.race([attempt.run(), stop.stopped.then(() => null)]).catch((error) =>
    faultOf(attempt.phase, error),
  );
  clearTimeout(timer);
  watching.abort();
  return excess ?? failure;
}

/** Nothing is said about an attempt's end before all its processes are gone. */
async function endEverything(attempt: string, log: Log): Promise<void> {
  while (!(await endMarkedProcesses(attempt, KILL_DEADLINE_MS, [process.pid])))
    log("processes_left", { attempt }, "warn");
}

/** Waits until every frame is stored at the other side, as long as somebody waits for that. */
async function farewell(link: RunLink): Promise<void> {
  const hurried = stop.runnerStopped.then(() => sleep(HURRIED_FAREWELL_MS));
  await within(FAREWELL_MS, Promise.race([link.settled(), hurried, stop.ended]), undefined);
}

async function removeFolder({ folder }: Workplace, log: Log): Promise<void> {
  await removeRunFolder(folder.root).catch((error) =>
    log("run_folder_kept", { folder: folder.root, error: errorText(error) }, "warn"),
  );
}
