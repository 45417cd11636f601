/**
 * A model whose steps the test writes, and lets go on. What it says next depends on the conversation alone, so a call that
 * was cut off and is made again is answered the same.
 */
import { createMessagesServer, type MessagesServer, type ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { type MessagesRequest, toolResults } from "#scripts/demo-model/messages-request.ts";

const REPORT = "mcp__reveille__report_result";
const SUMMARY = "The script is through.";

/** A shell command, or a call of another tool. */
export type Step = string | { name: string; input: Record<string, unknown> };

/** A conversation: steps one after the other, then the report that all is done. */
export class Script {
  /** Goes into a routine's prompt. */
  readonly task: string;
  /** By the number of the step: how often the agent has asked for it. */
  readonly asked: number[] = [];
  /** What the agent has sent, as JSON: the messages of each request. */
  readonly requests: string[] = [];
  readonly #steps: readonly Step[];
  readonly #holdsAt: number;
  readonly #released = Promise.withResolvers<void>();
  readonly #held = Promise.withResolvers<void>();

  /** @param holdsAt the number of the step that is not said before `release`; absent: none is held. */
  constructor(task: string, steps: readonly Step[], holdsAt = -1) {
    this.task = task;
    this.#steps = steps;
    this.#holdsAt = holdsAt;
  }

  /** Resolves once the agent waits for the step that is held. */
  get held(): Promise<void> {
    return this.#held.promise;
  }

  release(): void {
    this.#released.resolve();
  }

  async next({ messages }: MessagesRequest): Promise<ReplyPlan> {
    this.requests.push(JSON.stringify(messages));
    const step = messages.flatMap(toolResults).length;
    this.asked[step] = (this.asked[step] ?? 0) + 1;
    if (step === this.#holdsAt) {
      this.#held.resolve();
      await this.#released.promise;
    }
    const said = this.#steps[step];
    if (said !== undefined) {
      const shell = { name: "Bash", input: { command: said, description: `Step ${step}` } };
      return { kind: "message", text: `Step ${step}.`, toolCalls: [typeof said === "string" ? shell : said] };
    }
    if (step > this.#steps.length) return { kind: "message", text: SUMMARY };
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
  write(steps: readonly Step[], holdsAt?: number): Script {
    const script = new Script(`Script ${crypto.randomUUID()}`, steps, holdsAt);
    this.#scripts.set(script.task, script);
    return script;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
