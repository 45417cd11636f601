/** Drives the agent: starts it in the sandbox through the Agent SDK, gives it its task, and hands on what it says. */
import { type Options, query, type SDKMessage, type SDKResultMessage } from "@anthropic-ai/claude-agent-sdk";
import type { FrameBody, RunOrder } from "#protocol/runner-link.ts";
import { REPORT_TOOL } from "#protocol/tools.ts";
import { lastWords } from "../process/last-words.ts";
import { type Command, killGroup, type PipedProcess, type Place, processClosed } from "../process/spawn.ts";
import { within } from "../process/within.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { AgentLife, type LifeBounds, type LivingTask } from "./agent-end.ts";
import { definedOnly, runVariables } from "./agent-environment.ts";
import { fixedOptions } from "./agent-options.ts";
import { AgentSteering } from "./agent-steering.ts";
import { Ending } from "./ending.ts";
import { GatedProcess, type Program } from "./gated-process.ts";
import type { Inbox } from "./inbox.ts";
import type { Opening } from "./opening.ts";
import { parkAgent } from "./parking.ts";
import { type Report, type RunnerTools, reportOf, reportServer } from "./report-tool.ts";
import type { RunSettings } from "./repository-settings.ts";
import type { ToolGate } from "./tool-gate.ts";

export interface AgentOptions {
  order: RunOrder;
  /** What it has to know of its clones; may be empty. */
  clones: string;
  sandbox: Sandbox;
  /** Where its program waits, since it was started before there was a run: its file, and what gives it; null, or a null of its own, where it is to be started. */
  waiting: { file: string; start(command: Command, place: Place): Program | null } | null;
  cwd: string;
  env: Record<string, string>;
  signal: AbortSignal;
  /** The agent's output is read on only when this settles; it settles at the latest when the signal comes. */
  room(): Promise<void>;
  /** How its conversation is kept, and gone on with; null where it is not kept. */
  conversation: Pick<Options, "sessionId" | "resume" | "sessionStore" | "sessionStoreFlush"> | null;
  /** What people say to it while it is on. */
  inbox: Inbox;
  send(body: FrameBody): void;
  opening: Opening;
  /** Given when the sandbox is to be given up while the run waits. */
  parking: AbortSignal;
  /** What outranks the settings that the repository brings along. */
  settings: RunSettings;
  /** Which calls are let through. */
  gate: ToolGate;
  /** The runner's own, beside the one for the report. */
  tools: RunnerTools;
  /** MCP servers that the instance has for it. */
  servers: NonNullable<Options["mcpServers"]>;
  /** How long work in the background keeps the agent. */
  bounds: LifeBounds;
  onMessage(message: SDKMessage): void;
  /** The agent is ended while these still work in the background. */
  onTasksLeft(tasks: readonly LivingTask[], hasReported: boolean): void;
}

export interface AgentEnd {
  /** The last result, or null when the agent's program ended without one. */
  result: SDKResultMessage | null;
  report: Report | null;
  /** The call that its program has put off; null where there is none. */
  putOff: string | null;
  /** The end of its error output. */
  lastWords: string;
}

const LAST_WORDS = 2_000;
/** The agent's program, once killed, is waited for this long; whoever ends the attempt looks for what is left of it. */
const KILLED_GRACE_MS = 1_000;
/** How long its background tasks may take to be stopped, and then the program to end by itself, with its last hooks. */
const STOP_TASKS_MS = 1_000;
const CLOSE_GRACE_MS = 5_000;

/** Runs the agent to its end, or until the signal kills it. Never throws. */
export async function runAgent(options: AgentOptions): Promise<AgentEnd> {
  const end: AgentEnd = { result: null, report: null, putOff: null, lastWords: "" };
  /** The last report that was called for: it counts where a rule or a hook of the repository refused the call. */
  let called: Report | null = null;
  const life = new AgentLife(options.bounds);
  const started: PipedProcess[] = [];
  const closed: Promise<void>[] = [];
  const inputEnds = Promise.withResolvers<void>();
  const cut = new AbortController();
  const onAbort = () => cut.abort();
  options.signal.addEventListener("abort", onAbort, { once: true });
  cut.signal.addEventListener("abort", () => {
    inputEnds.resolve();
    for (const child of started) killGroup(child.pid);
  });
  const steering = new AgentSteering(options.inbox, life, options.gate, options.send);
  const agent = query({
    prompt: steering.input(options.opening, inputEnds.promise),
    options: {
      ...fixedOptions(options.order, options.clones, options.gate),
      ...options.conversation,
      settings: options.settings.flags,
      ...(options.settings.managed === undefined ? {} : { managedSettings: options.settings.managed }),
      cwd: options.cwd,
      env: options.env,
      // It would else be looked for anew, which takes some milliseconds.
      ...(options.waiting === null ? {} : { pathToClaudeCodeExecutable: options.waiting.file }),
      mcpServers: {
        ...options.servers,
        reveille: reportServer((report) => {
          end.report = report;
          life.report();
        }, options.tools),
      },
      spawnClaudeCodeProcess: (command) => {
        const words: Command = [command.command, ...command.args];
        const place = { cwd: options.cwd, env: definedOnly(command.env) };
        // One that waited has been told of its run; where it is gone, another has not.
        const anew = { ...place, env: { ...place.env, ...runVariables(options.order) } };
        const waiting = options.waiting?.start(words, place) ?? null;
        const child = waiting?.child ?? options.sandbox.start(words, anew);
        started.push(child);
        closed.push(processClosed(child));
        child.stderr.on("data", (chunk: Buffer) => {
          end.lastWords = lastWords(end.lastWords + chunk.toString("utf8"), LAST_WORDS);
        });
        if (options.signal.aborted) killGroup(child.pid);
        return new GatedProcess(waiting ?? { child, stdin: child.stdin, stdout: child.stdout }, options.room);
      },
    },
  });
  const endProgram = async () => {
    const tasks = life.livingTasks;
    if (tasks.length > 0) {
      options.onTasksLeft(tasks, life.hasReported);
      await within(STOP_TASKS_MS, Promise.allSettled(tasks.map(({ id }) => agent.stopTask(id))), undefined);
    }
    inputEnds.resolve();
    await within(CLOSE_GRACE_MS, listening, undefined);
    cut.abort();
  };
  const ending = new Ending(steering, () => steering.goesOn(cut.signal), endProgram);
  let isParked = false;
  const park = async () => {
    await parkAgent(agent, { life, steering, gate: options.gate, signal: cut.signal });
    isParked = true;
    inputEnds.resolve();
    if (!life.isInTurn) await within(CLOSE_GRACE_MS, listening, undefined);
    cut.abort();
  };
  options.parking.addEventListener("abort", park, { once: true });
  if (options.parking.aborted) void park();
  steering.drive(agent, () => ending.look(), cut.signal);
  const listening = listen(agent, options, end, (message) => {
    called = reportIn(message) ?? called;
    life.read(message, performance.now());
    steering.read(message);
    // Nothing is asked of the model any more.
    if ((isParked || ending.hasBegun) && life.isInTurn) cut.abort();
    ending.look();
  });
  // Killed, the program's output may never end for the SDK: what it would still say is not waited for.
  await Promise.race([listening, abortedFor(cut.signal, KILLED_GRACE_MS)]);
  ending.cancel();
  options.parking.removeEventListener("abort", park);
  options.signal.removeEventListener("abort", onAbort);
  cut.abort();
  await within(KILLED_GRACE_MS, Promise.all(closed), undefined);
  end.report ??= called;
  return end;
}

/** The report that a message of the agent's calls for, or null. */
function reportIn(message: SDKMessage): Report | null {
  if (message.type !== "assistant") return null;
  const calls = message.message.content.flatMap((block) =>
    block.type === "tool_use" && block.name === REPORT_TOOL ? [reportOf(block.input)] : [],
  );
  return calls.findLast((report) => report !== null) ?? null;
}

/** Hands on what the agent says. Never rejects. */
async function listen(
  agent: AsyncIterable<SDKMessage>,
  options: AgentOptions,
  end: AgentEnd,
  onHeard: (message: SDKMessage) => void,
): Promise<void> {
  try {
    for await (const message of agent) {
      if (options.signal.aborted) return;
      // Its own tools are not there yet: they are once its first message has come.
      if (message.type === "result" && message.terminal_reason === "tool_deferred_unavailable") continue;
      if (message.type === "result") end.result = message;
      if (message.type === "result" && message.subtype === "success") {
        end.putOff = message.deferred_tool_use?.id ?? null;
      }
      options.onMessage(message);
      onHeard(message);
    }
  } catch (error) {
    // A result that tells an error is followed by an exception with the same words.
    if (end.result === null && !options.signal.aborted) end.lastWords += ` ${String(error)}`;
  }
}

/** Settles so long after the signal; never, when it never comes. */
function abortedFor(signal: AbortSignal, graceMs: number): Promise<void> {
  return new Promise((settle) => {
    const start = () => void setTimeout(settle, graceMs);
    if (signal.aborted) start();
    else signal.addEventListener("abort", start, { once: true });
  });
}
