/**
 * A model whose steps the test writes, and lets go on. What it says next depends on the conversation alone, so a call that
 * was cut off and is made again is answered the same.
 */
import { createMessagesServer, type MessagesServer, type ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { type MessagesRequest, toolResults } from "#scripts/demo-model/messages-request.ts";

const REPORT = "mcp__reveille__report_result";
const SUMMARY = "The script is through.";

/** A conversation: shell commands one after the other, then the report that all is done. */
export class Script {
  /** Goes into a routine's prompt. */
  readonly task: string;
  /** By the number of the step: how often the agent has asked for it. */
  readonly asked: number[] = [];
  readonly #commands: string[];
  readonly #holdsAt: number;
  readonly #released = Promise.withResolvers<void>();
  readonly #held = Promise.withResolvers<void>();

  /** @param holdsAt the number of the command that is not said before `release`; absent: none is held. */
  constructor(task: string, commands: string[], holdsAt = -1) {
    this.task = task;
    this.#commands = commands;
    this.#holdsAt = holdsAt;
  }

  /** Resolves once the agent waits for the command that is held. */
  get held(): Promise<void> {
    return this.#held.promise;
  }

  release(): void {
    this.#released.resolve();
  }

  async next({ messages }: MessagesRequest): Promise<ReplyPlan> {
    const step = messages.flatMap(toolResults).length;
    this.asked[step] = (this.asked[step] ?? 0) + 1;
    if (step === this.#holdsAt) {
      this.#held.resolve();
      await this.#released.promise;
    }
    const command = this.#commands[step];
    if (command !== undefined) {
      const input = { command, description: `Step ${step}` };
      return { kind: "message", text: `Step ${step}.`, toolCalls: [{ name: "Bash", input }] };
    }
    if (step > this.#commands.length) return { kind: "message", text: SUMMARY };
    return { kind: "message", toolCalls: [{ name: REPORT, input: { result: "done", summary: SUMMARY } }] };
  }
}

export class ScriptedModel {
  readonly #server: MessagesServer;
  readonly #scripts: Map<string, Script>;

  private constructor(server: MessagesServer, scripts: Map<string, Script>) {
    this.#server = server;
    this.#scripts = scripts;
  }

  static async start(): Promise<ScriptedModel> {
    const scripts = new Map<string, Script>();
    const reply = async (request: MessagesRequest): Promise<ReplyPlan> => {
      // Side requests of the agent, a title for instance, come without tools.
      if ((request.tools ?? []).length === 0) return { kind: "message", text: "Title" };
      const [key = ""] = /Script [0-9a-f-]{36}/.exec(JSON.stringify(request.messages)) ?? [];
      const script = scripts.get(key);
      if (script === undefined) throw new Error("nobody wrote this script");
      return await script.next(request);
    };
    return new ScriptedModel(await createMessagesServer({ reply }), scripts);
  }

  get url(): string {
    return this.#server.url;
  }

  /** See `Script`. */
  write(commands: string[], holdsAt?: number): Script {
    const script = new Script(`Script ${crypto.randomUUID()}`, commands, holdsAt);
    this.#scripts.set(script.task, script);
    return script;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
