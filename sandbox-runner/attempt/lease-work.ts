/** The work on one lease, from its order to its last frame, wherever it is done. */
import { setTimeout as sleep } from "node:timers/promises";
import { errorText } from "#protocol/log.ts";
import type { AskedQuestion } from "#protocol/question.ts";
import type { RunnerRef } from "#protocol/run.ts";
import type { RunBounds } from "#protocol/run-bounds.ts";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { FrameBody, RunOrder } from "#protocol/runner-link.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import { Inbox } from "../agent/inbox.ts";
import { faultOf, outcomeOf } from "../agent/outcome.ts";
import { runTools } from "../agent/run-tools.ts";
import { ToolGate } from "../agent/tool-gate.ts";
import type { Clone } from "../git/clone-plan.ts";
import { InstanceCalls } from "../link/instance-calls.ts";
import { RunLink } from "../link/run-link.ts";
import { ScrubbedFrames } from "../link/scrubbed-frames.ts";
import { toolsOf } from "../prepared/start-shape.ts";
import { createLog, type Log } from "../process/log.ts";
import { noteLease, removeRunFolder } from "../process/run-folder.ts";
import { within } from "../process/within.ts";
import { AttemptSession } from "../session/attempt-session.ts";
import { SDK_VERSION } from "../session/sdk-version.ts";
import type { SetupStore } from "../setup/setup-store.ts";
import { Attempt } from "./attempt.ts";
import { AttemptClock } from "./attempt-clock.ts";
import { watchBounds } from "./bounds-watch.ts";
import type { LeaseBrief, SandboxSetting } from "./executor-brief.ts";
import { KeepTime, keepMs } from "./keep-time.ts";
import { keepDiff } from "./session-diff.ts";
import type { StopSwitch } from "./stop-switch.ts";
import type { Workplace } from "./workplace.ts";

/** Who works on it, where, and how it is stopped. */
export interface Worker {
  runner: RunnerRef;
  /** Drawn by this process. */
  boot: string;
  /** Without a slash at its end. */
  instanceUrl: string;
  /** The mark of the attempt's processes. */
  mark: string;
  sandbox: SandboxSetting;
  bounds: RunBounds;
  place: Workplace;
  stop: StopSwitch;
  /** Where results of setup scripts are kept, for a run of this lease. */
  setups(brief: LeaseBrief): SetupStore;
  /** The run's order has come. */
  onOrder(order: RunOrder): void;
  /** Its repositories have been cloned. */
  onCloned(order: RunOrder, clones: readonly Clone[]): void;
  /** The agent has begun to speak. */
  onHeard(): void;
  /** Ends every process of the attempt but this one. @returns false when some were still there after a while. */
  endProcesses(): Promise<boolean>;
}

/** How long an order is waited for. */
const ORDER_DEADLINE_MS = 60_000;
/** How long the last frame may take to be stored: the instance may be restarting. */
const FAREWELL_MS = 600_000;
/** How long the workspace may take to be packed. It is sent for as long as that goes on, within the attempt's time. */
const PACK_MS = 120_000;
const HURRIED_FAREWELL_MS = 1_500;

/** Works on a lease to its end. Nothing of the attempt is left when it settles. */
export async function workOnLease(brief: LeaseBrief, worker: Worker): Promise<void> {
  const { lease, link_token, proxy_token } = brief;
  const startedAt = Date.now();
  const { place, stop } = worker;
  const redactor = new Redactor([link_token, proxy_token]);
  const log = createLog(redactor, (line) => process.stdout.write(`${line}\n`));
  // For people who look into the folders; the attempt does without.
  void noteLease(place.folder.root, lease).catch(() => {});
  const inbox = new Inbox();
  const clock = new AttemptClock(() => stop.stop("timed_out"));
  const parking = new AbortController();
  const ordered = Promise.withResolvers<RunOrder>();
  let gate: ToolGate | null = null;
  const link = new RunLink({
    instanceUrl: worker.instanceUrl,
    runId: lease.run_id,
    linkToken: link_token,
    runner: worker.runner,
    boot: worker.boot,
    onOrder: (order) => {
      redactor.learn(order.environment?.secret_values ?? []);
      worker.onOrder(order);
      ordered.resolve(order);
    },
    onFeatures: (features) => {
      inbox.isSteered = features.includes("steer");
      clock.stands = features.includes("park");
    },
    onSaid: (said) => {
      inbox.hear(said);
      if (said.type === "message" && clock.heldFor === "message" && !parking.signal.aborted) clock.goOn();
    },
    onClose: () => inbox.close(),
    onPark: () => parking.abort(),
    onCancel: () => stop.stop("canceled"),
    onAnswer: (answer) => {
      // One that comes while the call is put off is for the attempt that goes on.
      if (!parking.signal.aborted && gate?.answer(answer) === true) clock.goOn();
    },
    onEnded: () => stop.stop("ended"),
    onDown: (why) => log("run_link_down", { ...lease, why }, "warn"),
  });
  const order = await within(ORDER_DEADLINE_MS, Promise.race([ordered.promise, stop.stopped]), undefined);
  const frames = new ScrubbedFrames(redactor, link);
  const session = order === undefined ? null : sessionOf(order, worker, brief, frames);
  // Frames that an attempt makes after it was stopped are dropped: they would come after its last frame.
  const send = (body: FrameBody) => {
    if (stop.signal.aborted) return;
    if (body.kind === "waiting") clock.hold(body.for);
    frames.send(body);
  };
  gate = order === undefined ? null : gateFor(order, send);
  const ways = { brief, link, frames, send, redactor, session, inbox, clock, parking: parking.signal };
  const attempt = order === undefined || gate === null ? null : newAttempt(order, worker, { ...ways, gate });
  const failure = attempt === null ? null : await drive(attempt, clock, worker);
  await keepWorkspace(session, stop, clock.endsAtMs);
  await clearUp(worker, log);
  let outcome: string = stop.reason ?? "no_order";
  if (attempt !== null) {
    const ending = isParked(stop, clock, parking.signal)
      ? { status: "parked" as const, put_off: attempt.putOff }
      : outcomeOf(stop.reason, attempt.phase, failure, attempt.retryAfterS);
    outcome = "error" in ending ? `${ending.status}: ${ending.error.code}` : ending.status;
    session?.close();
    frames.send({ kind: "finished", outcome: ending, report: attempt.report, seen: attempt.seen });
    await farewell(link, stop);
  }
  await link.close();
  log("run", { ...lease, outcome, ms: Date.now() - startedAt });
  await removeFolder(place, log);
}

/** Takes a place down that no lease has come for. */
export async function leave(worker: Pick<Worker, "place" | "mark" | "endProcesses">, log: Log): Promise<void> {
  await clearUp(worker, log);
  await removeFolder(worker.place, log);
}

function newAttempt(
  order: RunOrder,
  { instanceUrl, mark, place, sandbox, stop, setups, onCloned, onHeard }: Worker,
  ways: {
    brief: LeaseBrief;
    link: RunLink;
    frames: ScrubbedFrames;
    send(body: FrameBody): void;
    redactor: Redactor;
    session: AttemptSession | null;
    gate: ToolGate;
    inbox: Inbox;
    clock: AttemptClock;
    parking: AbortSignal;
  },
): Attempt {
  const { brief, link, frames, send, redactor, session, gate, inbox, clock, parking } = ways;
  const scrub = (text: string) => redactor.text(text);
  const { run_id: runId } = brief.lease;
  const calls = new InstanceCalls({ instanceUrl, runId, linkToken: brief.link_token, signal: stop.signal });
  let isHeard = false;
  const heard = () => {
    if (!isHeard) onHeard();
    isHeard = true;
  };
  return new Attempt({
    order,
    mark,
    place,
    proxyToken: brief.proxy_token,
    session,
    inbox,
    clock,
    parking,
    sandbox,
    setups: setups(brief),
    onCloned: (clones) => onCloned(order, clones),
    keepDiff: async (where) => {
      if (order.takes.includes("diff")) await keepDiff(where, calls, scrub);
    },
    tools: (place) => {
      const ways = { calls, scrub, takeAnswer: () => gate.takeAnswer(), place: { ...place, signal: stop.signal } };
      return runTools(toolsOf(order), ways);
    },
    gate,
    signal: stop.signal,
    send: (body) => {
      send(body);
      if (stop.signal.aborted) return;
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

function sessionOf(
  order: RunOrder,
  { instanceUrl, place }: Worker,
  { link_token: linkToken }: LeaseBrief,
  frames: ScrubbedFrames,
): AttemptSession | null {
  const { conversation } = order;
  if (conversation === undefined) return null;
  return new AttemptSession({
    order,
    conversation,
    instance: { instanceUrl, linkToken },
    folder: place.folder.root,
    sendEntries: (file, entries) => frames.sendEntries(file, SDK_VERSION, entries),
    send: (body) => frames.send(body),
  });
}

/** A run that was canceled, or whose time is over, is given up soon; nobody waits for that of a runner which ends. */
async function keepWorkspace(session: AttemptSession | null, stop: StopSwitch, endsAtMs: number): Promise<void> {
  const isHurried = stop.reason === "canceled" || stop.reason === "timed_out";
  if (session === null || (stop.reason !== null && !isHurried)) return;
  const leftMs = keepMs(endsAtMs, performance.now());
  const time = new KeepTime(stop, leftMs);
  await session.keep({ signal: time.signal, packMs: Math.min(PACK_MS, leftMs) });
  time.end();
}

function gateFor(
  { tools: policy, asks, answer: given, continues, conversation }: RunOrder,
  send: (body: FrameBody) => void,
): ToolGate {
  const earlier = conversation?.resume?.calls.map(({ tool_call_id: id }) => id) ?? [];
  const onAsked = (question: AskedQuestion) => send({ kind: "waiting", for: question.kind, question });
  const isLost = given !== null && continues?.put_off !== given.question_id;
  return new ToolGate({ policy, asks, given, isLost, earlier, onAsked });
}

/** A runner that ends while the run waits leaves it to another attempt, as if its sandbox had been lost. */
function isParked({ reason }: StopSwitch, { heldFor }: AttemptClock, parking: AbortSignal): boolean {
  if (reason === "runner_stopped") return heldFor !== null;
  return reason === null && parking.aborted;
}

function isAgentsOwn({ type }: RunnerEvent): boolean {
  return type === "tool.call" || type.startsWith("agent.");
}

/** Runs the attempt to its end, its deadline, or until it uses more than it may. */
async function drive(attempt: Attempt, clock: AttemptClock, { place, bounds, stop }: Worker): Promise<RunError | null> {
  clock.start(attempt.timeoutMs);
  let excess: RunError | null = null;
  const watching = new AbortController();
  watchBounds({
    bounds,
    folder: place.folder,
    inside: () => place.inside(),
    signal: AbortSignal.any([stop.signal, watching.signal]),
    onExcess: ({ code, detail }) => {
      excess = runError(code, attempt.phase, detail);
      stop.stop("exceeded");
    },
  });
  const failure = await Promise.race([attempt.run(), stop.stopped.then(() => null)]).catch((error) =>
    faultOf(attempt.phase, error),
  );
  clock.stop();
  watching.abort();
  return excess ?? failure;
}

/** Nothing is said about an attempt's end before all its processes are gone. */
async function clearUp({ place, mark, endProcesses }: Parameters<typeof leave>[0], log: Log): Promise<void> {
  await place.close();
  while (!(await endProcesses())) log("processes_left", { attempt: mark }, "warn");
}

/** Waits until every frame is stored at the other side, as long as somebody waits for that. */
async function farewell(link: RunLink, stop: StopSwitch): Promise<void> {
  const hurried = stop.runnerStopped.then(() => sleep(HURRIED_FAREWELL_MS));
  await within(FAREWELL_MS, Promise.race([link.settled(), hurried, stop.ended]), undefined);
}

async function removeFolder({ folder }: Workplace, log: Log): Promise<void> {
  await removeRunFolder(folder.root).catch((error) =>
    log("run_folder_kept", { folder: folder.root, error: errorText(error) }, "warn"),
  );
}
