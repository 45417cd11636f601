/** One who watches a session, comes back after each broken connection, and says something to it. */
import WebSocket from "ws";
import { type LiveMessage, liveMessageSchema } from "#protocol/viewer.ts";
import { until } from "./until.ts";

const RETURNS_AFTER_MS = 50;
const HEARD_WITHIN_MS = 60_000;
const SAID_AGAIN_AFTER_MS = 2_000;

interface Where {
  port: number;
  token: string;
  sessionId: string;
}

export class Viewer {
  /** Each as it came. */
  readonly events: { seq: number; type: string }[] = [];
  connections = 0;
  readonly #where: Where;
  readonly #accepted = new Set<string>();
  #socket: WebSocket | null = null;
  #isOver = false;

  constructor(where: Where) {
    this.#where = where;
    this.#connect();
  }

  /** All that has come, an event a line. */
  get text(): string {
    return this.events.map((event) => JSON.stringify(event)).join("\n");
  }

  breakOff(): void {
    this.#socket?.terminate();
  }

  close(): void {
    this.#isOver = true;
    this.#socket?.close();
  }

  /** Says it until it is accepted. */
  async say(id: string, text: string): Promise<void> {
    let saidAt = 0;
    await until(`${id} is accepted`, HEARD_WITHIN_MS, () => {
      if (Date.now() - saidAt > SAID_AGAIN_AFTER_MS && this.#socket?.readyState === WebSocket.OPEN) {
        saidAt = Date.now();
        this.#socket.send(JSON.stringify({ type: "message", id, text }));
      }
      return this.#accepted.has(id);
    });
  }

  #connect(): void {
    if (this.#isOver) return;
    const { port, token, sessionId } = this.#where;
    const after = this.events.at(-1)?.seq ?? 0;
    const url = `ws://127.0.0.1:${port}/api/v1/sessions/${sessionId}/live?after=${after}`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    this.#socket = socket;
    socket.on("open", () => (this.connections += 1));
    socket.on("message", (data) => {
      // A connection that was given up may still have something to say.
      if (socket === this.#socket && socket.readyState === WebSocket.OPEN) this.#take(JSON.parse(String(data)));
    });
    socket.on("error", () => undefined);
    socket.on("close", () => setTimeout(() => this.#connect(), RETURNS_AFTER_MS));
  }

  #take(message: LiveMessage): void {
    liveMessageSchema.parse(message);
    if (message.type === "accepted") this.#accepted.add(message.id);
    if (message.type === "rejected") throw new Error(`${message.id} is rejected: ${message.code}`);
    if (message.type === "events") this.events.push(...message.events);
    else if ("seq" in message && message.type !== "caught_up") this.events.push(message);
    else return;
    this.#socket?.send(JSON.stringify({ type: "ack", seq: this.events.at(-1)?.seq ?? 0 }));
  }
}
