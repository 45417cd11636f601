/** Sockets on which no runner has registered yet. They have a while to do so, also when the object is evicted meanwhile. */
import { closeQuietly } from "#instance/sockets.ts";
import { REGISTER_DEADLINE_MS, RUNNER_CLOSE } from "#protocol/runner-link.ts";
import { attachmentOf } from "./known-runners.ts";

interface NewcomerAttachment {
  /** Until when a runner may register on it, in Unix milliseconds. */
  untilMs: number;
}

export class UnregisteredSockets {
  readonly #context: DurableObjectState;
  /** Until when each may register; null until they have been looked for. */
  #known: Map<WebSocket, number> | null = null;

  constructor(context: DurableObjectState) {
    this.#context = context;
  }

  add(socket: WebSocket, nowMs: number): void {
    const sockets = this.#all(nowMs);
    sockets.set(socket, note(socket, nowMs));
  }

  /** A runner has registered on it, or it has closed. */
  remove(socket: WebSocket): void {
    this.#known?.delete(socket);
  }

  /** When the time of the next one is over; null when there is none. */
  next(nowMs: number): number | null {
    const moments = [...this.#all(nowMs).values()];
    return moments.length === 0 ? null : Math.min(...moments);
  }

  /** Closes those whose time is over. */
  closeLate(nowMs: number): void {
    for (const [socket, untilMs] of this.#all(nowMs)) {
      if (untilMs > nowMs) continue;
      closeQuietly(socket, RUNNER_CLOSE.unregistered, "no runner has registered on this connection in time");
      this.remove(socket);
    }
  }

  #all(nowMs: number): Map<WebSocket, number> {
    this.#known ??= this.#find(nowMs);
    return this.#known;
  }

  #find(nowMs: number): Map<WebSocket, number> {
    const found = new Map<WebSocket, number>();
    for (const socket of this.#context.getWebSockets()) {
      if (socket.readyState !== WebSocket.OPEN || attachmentOf(socket) !== null) continue;
      // Those that an earlier version took in carry nothing: their time begins now.
      const noted: NewcomerAttachment | null = socket.deserializeAttachment();
      found.set(socket, noted?.untilMs ?? note(socket, nowMs));
    }
    return found;
  }
}

/** @returns until when it may register. */
function note(socket: WebSocket, nowMs: number): number {
  const untilMs = nowMs + REGISTER_DEADLINE_MS;
  socket.serializeAttachment({ untilMs } satisfies NewcomerAttachment);
  return untilMs;
}
