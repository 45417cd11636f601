/** One attempt in its order: relay, sandbox, setup, clone, agent, evidence. Says what it does, and how it ended. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { COMMIT_IDENTITY } from "#protocol/commit.ts";
import { GITHUB_SERVER } from "#protocol/github-deed.ts";
import { type RunError, type RunPhase, runError } from "#protocol/run-errors.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { runAgent } from "../agent/agent.ts";
import {
  agentEnvironment,
  cloneEnvironment,
  commandEnvironment,
  givenVariables,
  modelWay,
  runVariables,
} from "../agent/agent-environment.ts";
import { AgentEvents } from "../agent/agent-events.ts";
import { AgentWatch } from "../agent/agent-watch.ts";
import { instanceServers } from "../agent/instance-servers.ts";
import { openingOf } from "../agent/opening.ts";
import { agentError, oneLine } from "../agent/outcome.ts";
import type { Report } from "../agent/report-tool.ts";
import { cloneRepositories } from "../git/clone.ts";
import type { Clone } from "../git/clone-plan.ts";
import { describeClones } from "../git/clone-words.ts";
import { writeGitSettings } from "../git/write-settings.ts";
import type { Prepared } from "../prepared/prepared.ts";
import type { RunFolder } from "../process/run-folder.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { setUp } from "../setup/set-up.ts";
import type { AttemptOptions } from "./attempt-options.ts";
import { DEMO_MODEL, privileged, tasksLeft } from "./attempt-words.ts";
import { enterSandbox } from "./enter-sandbox.ts";
import { countChangedFiles } from "./evidence.ts";
import { hookDeadline } from "./hook-deadline.ts";
import { outrankRepository, tellOfServers } from "./outrank-repository.ts";
import { ifThere, settleClones } from "./settle-clones.ts";

export type Seen = Extract<FrameBody, { kind: "finished" }>["seen"];

/** For the last part of the attempt's time no agent without a report waits for its work in the background. */
const LAST_PART = 0.1;
/** To send the result of its setup script it may take this part of its time at most: enough of it is left to the agent. */
const KEEP_PART = 1 / 3;

export class Attempt {
  readonly #options: AttemptOptions;
  readonly #events = new AgentEvents();
  #phase: RunPhase = "provisioning";
  #report: Report | null = null;
  /** For so many seconds whoever was asked in vain wants to be left alone; null where that is not known. */
  retryAfterS: number | null = null;
  #filesChanged = 0;
  #isRunningTold = false;
  /** The call of the agent's that its program has put off; null where there is none. */
  putOff: string | null = null;

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  /** For the whole of it. */
  get timeoutMs(): number {
    return this.#options.order.timeout_ms;
  }
  get phase(): RunPhase {
    return this.#phase;
  }
  get report(): Report | null {
    return this.#report;
  }
  get #folder(): RunFolder {
    return this.#options.place.folder;
  }
  get seen(): Seen {
    const { turns, toolCalls, toolsRefused, costUsd } = this.#events;
    const { hosts } = this.#options.place;
    return {
      turns,
      tool_calls: toolCalls,
      ...(toolsRefused === 0 ? {} : { tools_refused: toolsRefused }),
      files_changed: this.#filesChanged,
      // The worker counts what it sees pushed; an earlier version's wants a number here.
      commits_pushed: 0,
      cost_usd: this.#options.order.demo_model ? 0 : costUsd,
      ...(hosts.length === 0 ? {} : { hosts }),
      ...(this.#options.session === null ? {} : { conversation_entries: this.#options.session.entries }),
    };
  }

  /** @returns null when every step went well, or was stopped by the signal. */
  async run(): Promise<RunError | null> {
    const { order, signal } = this.#options;
    if (order.demo_model) this.#event(DEMO_MODEL);
    const { folder, relay } = this.#options.place;
    const waiting = this.#options.place.agentFor(order, this.#options.proxyToken);
    await this.#options.place.openWay(order, (refused) =>
      this.#event({ type: "notice", level: "warning", ...refused }),
    );
    const { mark, sandbox: setting } = this.#options;
    const entered = { place: this.#options.place, setting, mark };
    const sandbox = await enterSandbox(order, entered, (event) => this.#event(event));
    if (!sandbox.ok) return sandbox.error;
    if (signal.aborted) return null;
    const seen = { ...folder, home: sandbox.value.home ?? folder.home };
    // With a sandbox that was lost, what waited in it is gone too; then this run has its own way to its model.
    const ready = await ifThere(await waiting);

    const unprepared = await this.#setUp(sandbox.value, seen);
    if (unprepared !== null || signal.aborted) return unprepared;

    this.#phase = "clone";
    const relayUrl = sandbox.value.relayUrl(relay.url);
    writeGitSettings(folder, {
      relayUrl,
      runId: order.run_id,
      repositories: order.repositories,
      proxyToken: this.#options.proxyToken,
      sessionUrl: order.session_url,
      commit: order.commit ?? COMMIT_IDENTITY,
      hasGh: order.mcp_servers.includes(GITHUB_SERVER),
    });
    const cloned = await cloneRepositories({
      order,
      folder,
      relayUrl,
      sandbox: sandbox.value,
      env: cloneEnvironment(this.#options.mark, seen),
      signal,
      // Where the sandbox keeps the run from writing what it is given of it.
      cache: sandbox.value.kind === "sandbox-runtime" ? this.#options.place.cloneCache : null,
      isAside: ready?.copy != null,
      gitFault: (number) => relay.gitFault(number),
      isAtLfs: (number) => relay.isAtLfs(number),
      received: () => relay.passedIn(),
      onStep: (message) => this.#step(message),
      onNotice: (notice) => this.#event(notice),
    });
    if (signal.aborted) return null;
    if (!cloned.ok) {
      this.retryAfterS = cloned.retryAfterS;
      return cloned.error;
    }

    const settled = await settleClones(cloned.clones, ready, signal, (message) => this.#step(message));
    if (signal.aborted) return null;
    const { prepared } = settled;
    this.#options.onCloned(settled.clones);
    const { session: earlier } = this.#options;
    if (prepared !== null) {
      earlier?.recordAs(prepared.sessionId);
      this.#options.gate.doFirst(() => prepared.tellRun());
    }
    const found = { sandbox: sandbox.value, folder: seen, clones: settled.clones, env: cloneEnvironment(mark, seen) };
    const begun = (await earlier?.begin(found, signal)) ?? { ok: true, clones: settled.clones };
    if (signal.aborted) return null;
    if (!begun.ok) return begun.error;
    const { clones } = begun;

    const failure = await this.#driveAgent(relayUrl, sandbox.value, seen, clones, prepared);
    if (signal.aborted) return null;
    this.#phase = "finish";
    const env = commandEnvironment(this.#options.mark, seen);
    this.#filesChanged = await countChangedFiles(clones, folder, sandbox.value, env, signal);
    // What the session has changed, not this run alone: so by what was cloned.
    const session = { clones: settled.clones, workspace: folder.workspace, sandbox: sandbox.value, env, signal };
    await this.#options.keepDiff(session);
    return failure;
  }

  /**
   * Before there is anything of the run's in the sandbox, its proxy token among it: what the script makes can depend on
   * nothing else than its environment.
   */
  async #setUp(sandbox: Sandbox, folder: RunFolder): Promise<RunError | null> {
    const { order, mark, setups: store, signal } = this.#options;
    const { environment, setup_deadline_ms: deadlineMs, timeout_ms: timeoutMs } = order;
    const keepDeadlineMs = Math.min(deadlineMs, timeoutMs * KEEP_PART);
    if (environment?.setup == null) return null;
    this.#phase = "setup";
    const onEvent = (event: RunnerEvent) => this.#event(event);
    return await setUp({ environment, mark, folder, sandbox, deadlineMs, keepDeadlineMs, store, signal, onEvent });
  }

  async #driveAgent(
    relayUrl: string,
    sandbox: Sandbox,
    seen: RunFolder,
    clones: readonly Clone[],
    prepared: Prepared | null,
  ): Promise<RunError | null> {
    const { order, mark, proxyToken, signal, session } = this.#options;
    this.#phase = "agent";
    this.#step("Starting the agent");
    const only = clones.length === 1 ? clones[0] : undefined;
    const cwd = only?.folder ?? this.#folder.workspace;
    const way = prepared?.way ?? modelWay(relayUrl, order.run_id, proxyToken);
    // One that was started before there was a run is told of it later.
    const ofRun = prepared === null ? runVariables(order) : {};
    const own = { ...agentEnvironment(mark, seen, way, order), ...ofRun };
    const hookDeadlineMs = hookDeadline(order);
    // Settings go into a command line: what was given is not restated there, for it may hold secrets and be long.
    const settings = await outrankRepository(order, { folder: cwd, env: own, hookDeadlineMs }, (notice) =>
      this.#event(notice),
    );
    await tellOfServers(order, clones, (notice) => this.#event(notice));
    const breach = new AbortController();
    const watch = new AgentWatch({
      startDeadlineMs: order.agent_start_deadline_ms,
      hookDeadlineMs,
      room: this.#options.room,
      onNotice: (notice) => this.#event(notice),
    });
    const told = session?.told ?? "";
    const opening = openingOf(order, told);
    if (opening.by === "call") {
      this.#options.gate.takesUp(told, () => {
        watch.started();
        this.#tellRunning(sandbox);
      });
    }
    const { clock, parking } = this.#options;
    const end = await runAgent({
      order,
      clones: describeClones(clones),
      sandbox,
      waiting: prepared,
      cwd,
      env: { ...givenVariables(order.environment), ...own },
      settings,
      tools: this.#options.tools({ sandbox, cwd, env: commandEnvironment(mark, seen) }),
      servers: instanceServers(order, relayUrl, proxyToken),
      gate: this.#options.gate,
      inbox: this.#options.inbox,
      send: this.#options.send,
      conversation: session?.agentOptions ?? null,
      opening,
      parking,
      signal: AbortSignal.any([signal, watch.signal, breach.signal]),
      room: this.#options.room,
      bounds: {
        backgroundWaitMs: order.background_wait_ms,
        get lastWaitMs() {
          return clock.endsAtMs - order.timeout_ms * LAST_PART;
        },
      },
      onMessage: (message) => {
        watch.read(message);
        const fault = this.#events.started ? null : sandbox.breach();
        if (fault === null) this.#hear(message, sandbox);
        else breach.abort(privileged(fault));
      },
      onTasksLeft: (tasks, hasReported) => this.#event(tasksLeft(tasks, hasReported)),
    });
    watch.close();
    if (breach.signal.aborted) return breach.signal.reason;
    this.#report = end.report;
    session?.tellEnd(end.result !== null);
    this.putOff = end.putOff;
    if (parking.aborted) return null;
    // What was reported stands, though the program had to be killed.
    if (watch.failure !== null) return end.report === null ? watch.failure : null;
    const { stoppedByHook } = this.#events;
    if (stoppedByHook !== null && end.report === null) {
      return runError("stopped_by_hook", "agent", stoppedByHook === "" ? undefined : oneLine(stoppedByHook));
    }
    return agentError(end.result, end.lastWords);
  }

  #hear(message: SDKMessage, sandbox: Sandbox): void {
    if (message.type === "system" && message.subtype === "mirror_error") this.#options.session?.tellLost(message.error);
    const begun = this.#events.started;
    const { events, deltas } = this.#events.read(message);
    if (!begun && this.#events.started) this.#tellRunning(sandbox);
    for (const delta of deltas) this.#options.sendDelta(delta);
    for (const event of events) this.#event(event);
  }

  #tellRunning({ kind }: Sandbox): void {
    if (!this.#isRunningTold) this.#options.send({ kind: "running", sandbox: kind });
    this.#isRunningTold = true;
  }

  #step(message: string): void {
    this.#event({ type: "run.step", phase: this.#phase, message });
  }

  #event(event: RunnerEvent): void {
    const free = this.#options.order.demo_model && event.type === "usage";
    this.#options.send({ kind: "event", event: free ? { ...event, usage: { ...event.usage, cost_usd: 0 } } : event });
  }
}
