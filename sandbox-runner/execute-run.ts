/**
 * The executor: one process for one attempt. It learns its lease from its input, which its runner keeps open: when that
 * ends, the runner is gone, and so the executor ends everything and itself.
 */
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { errorText } from "#protocol/log.ts";
import type { RunError } from "#protocol/run-errors.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { Attempt } from "./attempt.ts";
import { endAttemptProcesses, startTimeOf } from "./attempt-processes.ts";
import { attemptName, type ExecutorBrief, executorBriefSchema } from "./executor-brief.ts";
import { createLog, type Log } from "./log.ts";
import { faultOf, outcomeOf } from "./outcome.ts";
import { Redactor } from "./redact.ts";
import { createRunFolder, removeRunFolder } from "./run-folder.ts";
import { RunLink } from "./run-link.ts";
import { ScrubbedFrames } from "./scrubbed-frames.ts";
import { StopSwitch } from "./stop-switch.ts";
import { within } from "./within.ts";

/** How long the order may let the executor wait. */
const ORDER_DEADLINE_MS = 60_000;
/** How long the executor waits for its last frame to be stored: the instance may be restarting. */
const FAREWELL_MS = 600_000;
const HURRIED_FAREWELL_MS = 1_500;
const KILL_DEADLINE_MS = 5_000;

const stop = new StopSwitch();
// The runner's log may be gone before the executor is.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});
process.on("SIGTERM", () => stop.stop("runner_stopped"));
// Ctrl-C in a terminal goes to the runner, which tells its executors in its own way.
process.on("SIGINT", () => {});

const brief = await readBrief();
if (brief !== null) await execute(brief);
process.exit(0);

/** @returns null when the input ended before it said anything. */
async function readBrief(): Promise<ExecutorBrief | null> {
  const lines = createInterface({ input: process.stdin });
  return await new Promise((settle) => {
    lines.once("line", (line) => settle(executorBriefSchema.parse(JSON.parse(line))));
    lines.once("close", () => {
      stop.stop("runner_stopped");
      settle(null);
    });
  });
}

async function execute(brief: ExecutorBrief): Promise<void> {
  const startedAt = Date.now();
  const attempt = attemptName(brief.lease);
  const redactor = new Redactor([brief.link_token, brief.proxy_token]);
  const log = createLog(redactor, (line) => process.stdout.write(`${line}\n`));
  const folder = await createRunFolder(brief.state_folder, attempt, {
    pid: process.pid,
    startTime: startTimeOf(process.pid),
  });
  const ordered = Promise.withResolvers<RunOrder>();
  const link = new RunLink({
    instanceUrl: brief.instance_url,
    runId: brief.lease.run_id,
    linkToken: brief.link_token,
    runnerId: brief.runner_id,
    onOrder: ordered.resolve,
    onCancel: () => stop.stop("canceled"),
    onEnded: () => stop.stop("ended"),
    onDown: (why) => log("run_link_down", { ...brief.lease, why }, "warn"),
  });
  const order = await within(ORDER_DEADLINE_MS, Promise.race([ordered.promise, stop.stopped]), undefined);
  let outcome: string = stop.reason ?? "no_order";
  if (order !== undefined) {
    const frames = new ScrubbedFrames(redactor, link);
    const work = new Attempt({
      order,
      attempt,
      folder,
      instanceUrl: brief.instance_url,
      proxyToken: brief.proxy_token,
      sandbox: brief.sandbox,
      signal: stop.signal,
      // Once it is stopped, what the attempt still says is cut off by its own end, and comes after its last word.
      send: (body) => (stop.signal.aborted ? undefined : frames.send(body)),
      sendDelta: (delta) => (stop.signal.aborted ? undefined : frames.sendDelta(delta)),
      room: () => Promise.race([link.room(), stop.stopped]),
    });
    const failure = await drive(work, order);
    await endEverything(attempt, log);
    const ending = outcomeOf(stop.reason, work.phase, failure);
    outcome = "error" in ending ? `${ending.status}: ${ending.error.code}` : ending.status;
    frames.send({ kind: "finished", outcome: ending, report: work.report, seen: work.seen });
    await farewell(link);
  }
  await link.close();
  log("run", { ...brief.lease, outcome, ms: Date.now() - startedAt });
  await removeRunFolder(folder.root).catch((error) =>
    log("run_folder_kept", { ...brief.lease, error: errorText(error) }, "warn"),
  );
}

/** Runs the attempt to its end or its deadline, and takes down what it built. */
async function drive(work: Attempt, order: RunOrder): Promise<RunError | null> {
  const timer = setTimeout(() => stop.stop("timed_out"), order.timeout_ms);
  const failure = await Promise.race([work.run(), stop.stopped.then(() => null)]).catch((error) =>
    faultOf(work.phase, error),
  );
  clearTimeout(timer);
  await work.close().catch(() => {});
  return failure;
}

/** Nothing is said about an attempt's end before all its processes are gone. */
async function endEverything(attempt: string, log: Log): Promise<void> {
  while (!(await endAttemptProcesses(attempt, KILL_DEADLINE_MS, [process.pid])))
    log("processes_left", { attempt }, "warn");
}

/** Waits until every frame is stored at the other side, as long as somebody waits for that. */
async function farewell(link: RunLink): Promise<void> {
  const hurried = stop.runnerStopped.then(() => sleep(HURRIED_FAREWELL_MS));
  await within(FAREWELL_MS, Promise.race([link.settled(), hurried, stop.ended]), undefined);
}
