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

let bed: Bed | null = null;
let runs = 0;

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
    if (bed === null) throw new Error("prepare comes first");
    runs += 1;
    const startedAt = nowMs();
    const cwd =
      order.repository === null ? bed.folder.workspace : await clone(bed, `repository-${runs}`, order.repository);
    return (await firstEventAt(bed, cwd, order)) - startedAt;
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

async function firstEventAt({ folder, sandbox }: Bed, cwd: string, order: BareRun): Promise<number> {
  const started: { child: PipedProcess; closed: Promise<void> }[] = [];
  const finished = Promise.withResolvers<void>();
  const options: Options = {
    cwd,
    model: order.model,
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
      const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
      const child = sandbox.start([command, ...args], { cwd, env: Object.fromEntries(given) });
      child.stderr.resume();
      started.push({ child, closed: processClosed(child) });
      return child;
    },
  };
  let at: number | null = null;
  for await (const message of query({ prompt: task(order.task, finished.promise), options })) {
    if (isOwnEvent(message)) at ??= nowMs();
    if (message.type === "result") break;
  }
  finished.resolve();
  for (const { child, closed } of started) {
    killGroup(child.pid);
    await closed;
  }
  if (at === null) throw new Error("the agent said nothing");
  return at;
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

async function* task(text: string, finished: Promise<void>): AsyncGenerator<SDKUserMessage> {
  yield { type: "user", message: { role: "user", content: text }, parent_tool_use_id: null };
  await finished;
}
