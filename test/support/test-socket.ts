/** A WebSocket client for tests in workerd: everything that came, and waiting for what will. */
import { exports } from "cloudflare:workers";
import { noteSaid } from "./canaries.ts";
import { noteRefusal } from "./told-refusals.ts";

type Message = Record<string, unknown> & { type: string };

interface Waiter {
  check: () => boolean;
  resolve: () => void;
}

export class TestSocket {
  readonly messages: Message[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly #socket: WebSocket;
  #waiters: Waiter[] = [];

  /** @param where it leads, for what is looked through. */
  constructor(socket: WebSocket, where = "of an object") {
    this.#socket = socket;
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      if (data === "pong") return;
      const message: Message = JSON.parse(String(data));
      noteSaid(`the socket ${where}: ${message.type}`, String(data));
      this.messages.push(message);
      this.#wake();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#wake();
    });
  }

  send(message: unknown): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Says that it is there, as a runner does that has nothing else to say. */
  ping(): void {
    if (this.closed === null) this.#socket.send("ping");
  }

  /** Says that it is over. The other side's answer is in `closed`, once it has come. */
  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  /** Resolves with the first message that fits, also one that has come already. */
  async next(fits: (message: Message) => boolean): Promise<Message> {
    await this.until(() => this.messages.some(fits) || this.closed !== null);
    const message = this.messages.find(fits);
    if (message === undefined) throw new Error(`closed with ${this.closed?.code} ${this.closed?.reason} instead`);
    return message;
  }

  /** Resolves when something that this socket receives has made the condition true. */
  until(check: () => boolean): Promise<void> {
    if (check()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ check, resolve }));
  }

  #wake(): void {
    const ready = this.#waiters.filter(({ check }) => check());
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }
}

/** Dials the worker. @throws Error when it does not switch to WebSocket. */
export async function dial(path: string, headers: Record<string, string> = {}): Promise<TestSocket> {
  const response = await exports.default.fetch(`http://reveille.test${path}`, {
    headers: { upgrade: "websocket", ...headers },
  });
  if (response.webSocket === null) {
    const refusal = await response.text();
    noteRefusal("GET", path, response.status, refusal);
    throw new Error(`no upgrade: ${response.status} ${refusal}`);
  }
  return new TestSocket(response.webSocket, path);
}
