/** The bare Agent SDK in the runner's sandbox, in a process that is warm: nothing of ours beside the sandbox. */
import { totalmem } from "node:os";
import { join } from "node:path";
import { type Options, query, type SDKMessage, type SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { commandEnvironment } from "#sandbox-runner/agent/agent-environment.ts";
import { defaultBounds } from "#sandbox-runner/process/run-bounds.ts";
import { createRunFolder, type RunFolder } from "#sandbox-runner/process/run-folder.ts";
import { killGroup, type PipedProcess, processClosed } from "#sandbox-runner/process/spawn.ts";
import { openRuntimeSandbox } from "#sandbox-runner/sandbox/runtime-sandbox.ts";
import type { Sandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { nowMs } from "./clock.ts";
import { startOpenProxy } from "./open-proxy.ts";
import { goneAt, isBelow, markOf, workersOf } from "./processes.ts";
import { serveHelper } from "./serve-helper.ts";

const NAME = "bare-agent";
/** By which names the model and the repositories are asked for in the sandbox. */
const MODEL_HOST = "model.internal";
const GIT_HOST = "git.internal";
const CLONE_BOUNDS = { deadlineMs: 20_000, outputCapBytes: 2_000, signal: new AbortController().signal };

interface Bed {
  folder: RunFolder;
  sandbox: Sandbox;
}

export interface BareRun {
  model: string;
  task: string;
  /** What is cloned first; null for nothing. */
  repository: { url: string; authorization: string } | null;
}

/** An agent that waits for its task. */
interface Waiting {
  give(task: string): void;
  /** When it has said its first words or called its first tool. */
  firstEventAt: Promise<number>;
  /** Settles when its program is started; at once, where it is not to be started before there is a task. */
  isWarm: Promise<unknown>;
}

/** A run that takes longer hangs. */
const RUN_DEADLINE_MS = 60_000;

let bed: Bed | null = null;
let runs = 0;
let waiting: Waiting[] = [];

const face = {
  /** Opens the sandbox, which reaches these two addresses. */
  async prepare({ stateFolder, model, git }: { stateFolder: string; model: string; git: string }): Promise<void> {
    const port = await startOpenProxy({ [MODEL_HOST]: model, [GIT_HOST]: git });
    const folder = await createRunFolder(stateFolder, NAME, { pid: process.pid, startTime: null });
    const { signal } = new AbortController();
    const opened = await openRuntimeSandbox(folder, NAME, port, defaultBounds(totalmem()), signal);
    if (!opened.ok) throw new Error(opened.reason);
    bed = { folder, sandbox: opened.sandbox };
  },

  /** @returns how long it takes until the agent's first words or tool call, in milliseconds. */
  async run(order: BareRun): Promise<number> {
    const { folder } = openBed();
    runs += 1;
    const startedAt = nowMs();
    const cwd =
      order.repository === null ? folder.workspace : await clone(openBed(), `repository-${runs}`, order.repository);
    const agent = openAgent(openBed(), cwd, order.model, false);
    agent.give(order.task);
    return (await agent.firstEventAt) - startedAt;
  },

  /** Opens agents without a repository that wait for their tasks. Resolves when all of them do. */
  async warm({ model, count }: { model: string; count: number }): Promise<void> {
    const { folder } = openBed();
    waiting = Array.from({ length: count }, () => openAgent(openBed(), folder.workspace, model, true));
    await Promise.all(waiting.map(({ isWarm }) => isWarm));
  },

  /** Runs a command in the sandbox, and kills its process group. @returns how long that takes until all is gone, in milliseconds. */
  async hold({ name }: { name: string }): Promise<number> {
    const { folder, sandbox } = openBed();
    const place = { cwd: folder.workspace, env: commandEnvironment(NAME, folder) };
    const child = sandbox.start(["/bin/bash", "-c", `exec -a ${name} tail -f /dev/null & wait`], place);
    await markOf(name);
    const workers = workersOf(NAME).filter((pid) => isBelow(pid, child.pid));
    const startedAt = nowMs();
    killGroup(child.pid);
    return (await goneAt(workers)) - startedAt;
  },

  /** Gives all that wait their task at once. @returns how long it takes each until its first words, in milliseconds. */
  async giveAll({ task }: { task: string }): Promise<number[]> {
    const startedAt = nowMs();
    const agents = waiting.splice(0);
    for (const agent of agents) agent.give(task);
    const ends = await Promise.all(agents.map(({ firstEventAt }) => firstEventAt));
    return ends.map((at) => at - startedAt);
  },
};

export type BareAgent = typeof face;
serveHelper(face);

async function clone(
  { folder, sandbox }: Bed,
  name: string,
  { url, authorization }: NonNullable<BareRun["repository"]>,
): Promise<string> {
  const env = {
    ...commandEnvironment(NAME, folder),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.extraHeader",
    GIT_CONFIG_VALUE_0: `Authorization: ${authorization}`,
  };
  const address = `http://${GIT_HOST}${new URL(url).pathname}`;
  const end = await sandbox.run(
    ["git", "clone", "--quiet", address, name],
    { cwd: folder.workspace, env },
    CLONE_BOUNDS,
  );
  if (end.code !== 0) throw new Error(`git clone: ${end.stderr}`);
  return join(folder.workspace, name);
}

function openBed(): Bed {
  if (bed === null) throw new Error("prepare comes first");
  return bed;
}

/** @param isEarly whether it is told nothing before it is warm. */
function openAgent({ folder, sandbox }: Bed, cwd: string, model: string, isEarly: boolean): Waiting {
  const started: { child: PipedProcess; closed: Promise<void> }[] = [];
  const given = Promise.withResolvers<string>();
  const finished = Promise.withResolvers<void>();
  let lastWords = "";
  const options: Options = {
    cwd,
    model,
    permissionMode: "bypassPermissions",
    allowDangerouslySkipPermissions: true,
    includePartialMessages: true,
    settingSources: ["project"],
    env: {
      ...commandEnvironment(NAME, folder),
      ANTHROPIC_BASE_URL: `http://${MODEL_HOST}`,
      ANTHROPIC_AUTH_TOKEN: "unused",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CODE_TMPDIR: folder.temporary,
      CLAUDE_CONFIG_DIR: join(folder.home, ".claude"),
      DISABLE_AUTOUPDATER: "1",
      IS_SANDBOX: "1",
    },
    spawnClaudeCodeProcess: ({ command, args, env }) => {
      const words = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
      const child = sandbox.start([command, ...args], { cwd, env: Object.fromEntries(words) });
      child.stderr.on("data", (piece: Buffer) => {
        lastWords = (lastWords + piece.toString("utf8")).slice(-500);
      });
      started.push({ child, closed: processClosed(child) });
      return child;
    },
  };
  const agent = query({ prompt: conversation(given.promise, finished.promise), options });
  const isWarm = isEarly ? agent.initializationResult() : Promise.resolve();
  const firstEventAt = async () => {
    await given.promise;
    const deadline = setTimeout(() => {
      for (const { child } of started) killGroup(child.pid);
    }, RUN_DEADLINE_MS);
    let at: number | null = null;
    try {
      for await (const message of agent) {
        if (isOwnEvent(message)) at ??= nowMs();
        if (message.type === "result") break;
      }
    } catch (error) {
      lastWords += String(error);
    }
    clearTimeout(deadline);
    finished.resolve();
    for (const { child, closed } of started) {
      killGroup(child.pid);
      await closed;
    }
    if (at === null) throw new Error(`the agent said nothing: ${lastWords}`);
    return at;
  };
  return { give: given.resolve, firstEventAt: firstEventAt(), isWarm };
}

/** What a transcript would show first: a piece of text, or a tool call. */
function isOwnEvent(message: SDKMessage): boolean {
  if (message.type === "assistant") return true;
  return (
    message.type === "stream_event" &&
    message.event.type === "content_block_delta" &&
    message.event.delta.type === "text_delta"
  );
}

async function* conversation(given: Promise<string>, finished: Promise<void>): AsyncGenerator<SDKUserMessage> {
  const content = await given;
  yield { type: "user", message: { role: "user", content }, parent_tool_use_id: null };
  await finished;
}
