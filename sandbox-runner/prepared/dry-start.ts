/** Asks the Agent SDK how it would start the agent's program, without starting it. */
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { type Options, query, type SDKUserMessage, type SpawnedProcess } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import { definedOnly } from "../agent/agent-environment.ts";
import type { Command } from "../process/spawn.ts";
import { within } from "../process/within.ts";

export interface Start {
  command: Command;
  env: Record<string, string>;
  /** The first request of its input. */
  initialize: Record<string, unknown>;
}

const initializeSchema = z.looseObject({
  request: z.looseObject({
    subtype: z.literal("initialize"),
    sdkMcpServers: z.array(z.string()).default([]),
    sdkMcpServerManifests: z.record(z.string(), z.looseObject({ toolsListResult: z.unknown() })).default({}),
  }),
});
/** Servers of MCP. */
const SERVERS = ["sdkMcpServers", "sdkMcpServerConfigs", "sdkMcpServerManifests", "mcpServers"];
const DEADLINE_MS = 10_000;

/** @throws Error when the SDK does not come so far. */
export async function dryStart(options: Options): Promise<Start> {
  const started = Promise.withResolvers<Start>();
  const agent = query({
    prompt: SILENCE,
    options: {
      ...options,
      spawnClaudeCodeProcess: ({ command, args, env }) => {
        const pretended = new PretendedProcess((line) => {
          started.resolve({ command: [command, ...args], env: definedOnly(env), initialize: initializeIn(line) });
        });
        return pretended;
      },
    },
  });
  void (async () => {
    for await (const _message of agent);
  })().catch(started.reject);
  try {
    const start = await within(DEADLINE_MS, started.promise, null);
    if (start === null) throw new Error("The Agent SDK did not start its program.");
    return start;
  } finally {
    agent.close();
  }
}

/**
 * Servers of which it does not say all tools are left out: nobody is there yet to be asked for them.
 * @throws Error for another first line than is known here.
 */
function initializeIn(line: string): Start["initialize"] {
  const said = JSON.parse(line);
  const { sdkMcpServers: names, sdkMcpServerManifests: manifests } = initializeSchema.parse(said).request;
  const isWhole = names.every((name) => manifests[name]?.toolsListResult !== undefined);
  const entries = Object.entries<unknown>(said.request);
  return Object.fromEntries(isWhole ? entries : entries.filter(([name]) => !SERVERS.includes(name)));
}

/** A conversation in which nobody says anything. */
const SILENCE: AsyncIterable<SDKUserMessage> = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
};

/** Says nothing, and hands on the first line that it is told. */
class PretendedProcess extends EventEmitter implements SpawnedProcess {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  killed = false;
  exitCode: number | null = null;
  signalCode: NodeJS.Signals | null = null;

  constructor(onLine: (line: string) => void) {
    super();
    let text = "";
    this.stdin.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      const end = text.indexOf("\n");
      if (end >= 0 && !this.killed) onLine(text.slice(0, end));
    });
  }

  kill(signal: NodeJS.Signals): boolean {
    if (this.killed) return false;
    this.killed = true;
    this.signalCode = signal;
    this.stdout.end();
    this.emit("exit", null, signal);
    return true;
  }
}
