/** A model that says what the test says, when the test says it. The real agent calls it, by way of the real proxies. */
import { createMessagesServer, type MessagesServer, type ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import type { MessagesRequest } from "#scripts/demo-model/messages-request.ts";

type Words = Omit<Extract<ReplyPlan, { kind: "message" }>, "kind">;

export class GatedModel {
  readonly #server: MessagesServer;
  readonly #conversations: Map<string, Conversation>;

  private constructor(server: MessagesServer, conversations: Map<string, Conversation>) {
    this.#server = server;
    this.#conversations = conversations;
  }

  static async start(): Promise<GatedModel> {
    const conversations = new Map<string, Conversation>();
    const reply = (request: MessagesRequest) => {
      // Side requests of the agent, a title for instance, come without tools.
      if ((request.tools ?? []).length === 0) return { kind: "message" as const, text: "Title" };
      const [, key = ""] = /Conversation ([0-9a-f-]{36})/.exec(JSON.stringify(request.messages)) ?? [];
      const conversation = conversations.get(key);
      if (conversation === undefined) throw new Error("nobody leads this conversation");
      return conversation.ask();
    };
    return new GatedModel(await createMessagesServer({ reply }), conversations);
  }

  get url(): string {
    return this.#server.url;
  }

  /** A conversation that the test leads; its task goes into a routine's prompt. */
  lead(): Conversation {
    const key = crypto.randomUUID();
    const conversation = new Conversation(`Conversation ${key}`);
    this.#conversations.set(key, conversation);
    return conversation;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

export class Conversation {
  readonly task: string;
  readonly #asked: ((plan: ReplyPlan) => void)[] = [];
  readonly #said: ReplyPlan[] = [];

  constructor(task: string) {
    this.task = task;
  }

  /** The agent asks: answered with what was said already, or as soon as something is said. */
  ask(): Promise<ReplyPlan> {
    const ready = this.#said.shift();
    return ready === undefined ? new Promise((resolve) => this.#asked.push(resolve)) : Promise.resolve(ready);
  }

  /** The next thing that the model says; without a tool call it ends the turn. */
  say(words: Words): void {
    const plan: ReplyPlan = { kind: "message", ...words };
    const waiting = this.#asked.shift();
    if (waiting === undefined) this.#said.push(plan);
    else waiting(plan);
  }

  /** Text and a shell command. */
  run(text: string, command: string): void {
    this.say({ text, toolCalls: [{ name: "Bash", input: { command, description: text.slice(0, 60) } }] });
  }

  /** Says a text whose stream stops before its end. @returns how to let the rest go. */
  sayHalf(text: string, toolCalls: Words["toolCalls"] = []): () => void {
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const half = Math.floor(text.length / CHARACTERS_OF_A_DELTA / 2);
    this.say({ text, toolCalls, beforeDelta: (index) => (index < half ? Promise.resolve() : opened) });
    return open;
  }

  /** Reports the run's result and ends the turn. */
  finish(summary: string): void {
    this.say({ toolCalls: [{ name: "mcp__reveille__report_result", input: { result: "done", summary } }] });
    this.say({ text: summary });
  }
}

const CHARACTERS_OF_A_DELTA = 24;
