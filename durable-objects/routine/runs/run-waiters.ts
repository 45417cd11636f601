/**
 * Sockets of calls that wait for the end of a run. They hibernate with the object, so that a call that waits keeps nothing in
 * memory, and the object asks nobody.
 */
import { closeQuietly, refuseUpgrade } from "#instance/sockets.ts";
import { WAITER_CLOSE, WAITERS_AT_MOST } from "#protocol/run-waiter.ts";
import type { Tx, Work } from "../work.ts";

interface WaiterAttachment {
  kind: "waiter";
  /** When nobody waits on it any more, in Unix milliseconds. */
  untilMs: number;
}

const TAG = "waiter";

export class RunWaiters {
  readonly #context: Pick<DurableObjectState, "getWebSockets" | "acceptWebSocket">;
  readonly #work: Work;

  constructor(context: Pick<DurableObjectState, "getWebSockets" | "acceptWebSocket">, work: Work) {
    this.#context = context;
    this.#work = work;
  }

  /** Takes in the socket of a call that waits. @param isEnded whether there is nothing to wait for. */
  accept(waiter: { runId: string; untilMs: number }, isEnded: boolean, nowMs: number): Response {
    if (isEnded) return refuseUpgrade(WAITER_CLOSE.ended, "the run has ended");
    if (this.#open(nowMs) >= WAITERS_AT_MOST) return refuseUpgrade(WAITER_CLOSE.tooMany, "too many wait");
    const { 0: client, 1: server } = new WebSocketPair();
    this.#context.acceptWebSocket(server, [TAG, tagOf(waiter.runId)]);
    server.serializeAttachment({ kind: "waiter", untilMs: waiter.untilMs } satisfies WaiterAttachment);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Once it is stored that a run has ended: tells all who wait for it. */
  ended(tx: Tx, runId: string): void {
    this.#work.afterwards(tx, `waiters:${runId}`, () => this.#close(tagOf(runId)));
  }

  /** The token by which they were let in has ended, or the routine has been deleted: each has to ask again. */
  closeAll(tx: Tx): void {
    this.#work.afterwards(tx, "waiters", () => this.#close(TAG));
  }

  /** How many wait. Whoever has not gone by itself in time is shown out. */
  #open(nowMs: number): number {
    let open = 0;
    for (const socket of this.#context.getWebSockets(TAG)) {
      const { untilMs }: WaiterAttachment = socket.deserializeAttachment();
      if (untilMs > nowMs && socket.readyState === WebSocket.OPEN) open += 1;
      else closeQuietly(socket, WAITER_CLOSE.ended, "the time is over");
    }
    return open;
  }

  #close(tag: string): void {
    for (const socket of this.#context.getWebSockets(tag)) closeQuietly(socket, WAITER_CLOSE.ended, "ask again");
  }
}

function tagOf(runId: string): string {
  return `waiter:${runId}`;
}
