/** Sockets of the runners that work on this routine's runs: frames in; order, acknowledgement and cancel out. */

import { SocketDeadlines } from "#instance/socket-deadlines.ts";
import { closeQuietly, refuseUpgrade, sendQuietly } from "#instance/sockets.ts";
import type { CancelReason, RunnerRef } from "#protocol/run.ts";
import {
  HELLO_DEADLINE_MS,
  type LeaseRef,
  RUNNER_CLOSE,
  RUNNER_PROTOCOLS_SERVED,
  type RunnerToRun,
  type RunOrder,
  type RunToRunner,
  runnerToRunSchema,
} from "#protocol/runner-link.ts";
import { parseJson } from "#rules/json.ts";

export interface LinkAttachment {
  kind: "link";
  lease: LeaseRef;
  /** The instance's address as the runner's request came in. */
  origin: string;
  isGreeted: boolean;
  /** Until when hello has to come, in Unix milliseconds; absent on sockets that an earlier version has taken in. */
  helloByMs?: number;
}

export interface LinkEvents {
  isOn(lease: LeaseRef): boolean;
  /** @returns what the runner needs to begin or go on, or null when another runner holds the lease. */
  greet(lease: LeaseRef, runner: RunnerRef, origin: string): Greeting | null;
  takeFrames(lease: LeaseRef, message: Extract<RunnerToRun, { type: "frames" }>): number | null;
  takeDelta(lease: LeaseRef, message: Extract<RunnerToRun, { type: "delta" }>): void;
}

export interface Greeting {
  ack: number;
  order: RunOrder;
  cancel: CancelReason | null;
}

export class RunLinks {
  readonly #context: DurableObjectState;
  readonly #events: LinkEvents;
  readonly #ungreeted: SocketDeadlines;

  constructor(context: DurableObjectState, events: LinkEvents) {
    this.#context = context;
    this.#events = events;
    this.#ungreeted = new SocketDeadlines(() => context.getWebSockets().flatMap(ungreeted));
  }

  /** When the next link's time to say hello is over; null when all have said it. */
  next(): number | null {
    return this.#ungreeted.next();
  }

  /** Closes links on which no runner has said hello in time. */
  closeLate(nowMs: number): void {
    for (const socket of this.#ungreeted.takeLate(nowMs)) {
      closeQuietly(socket, RUNNER_CLOSE.late, "no runner has said hello on this connection in time");
    }
  }

  /** Takes in the socket of an attempt's runner. A newer socket replaces the one before. */
  accept(lease: LeaseRef, origin: string): Response {
    if (!this.#events.isOn(lease)) return refuseUpgrade(RUNNER_CLOSE.refused, "the attempt has ended");
    for (const before of this.#context.getWebSockets(tagOf(lease.run_id))) {
      this.#ungreeted.clear(before);
      closeQuietly(before, RUNNER_CLOSE.replaced, "another connection has taken over");
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.#context.acceptWebSocket(server, [tagOf(lease.run_id)]);
    const helloByMs = Date.now() + HELLO_DEADLINE_MS;
    this.#save(server, { kind: "link", lease, origin, isGreeted: false, helloByMs });
    this.#ungreeted.set(server, helloByMs);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** A message on a runner's socket. */
  receive(socket: WebSocket, attachment: LinkAttachment, text: string): void {
    const { lease } = attachment;
    const parsed = runnerToRunSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      closeQuietly(socket, RUNNER_CLOSE.badMessage, "not a message of this protocol");
      return;
    }
    if (!this.#events.isOn(lease)) {
      closeQuietly(socket, RUNNER_CLOSE.refused, "the attempt has ended");
      return;
    }
    const message = parsed.data;
    if (message.type === "hello") this.#greet(socket, attachment, message);
    else if (!attachment.isGreeted) closeQuietly(socket, RUNNER_CLOSE.badMessage, "hello comes first");
    else if (message.type === "delta") this.#events.takeDelta(lease, message);
    else {
      const missingAfter = this.#events.takeFrames(lease, message);
      if (missingAfter !== null) this.#send(socket, { type: "resend", after: missingAfter });
    }
  }

  acknowledge(lease: LeaseRef, n: number): void {
    this.#tell(lease.run_id, lease.generation, { type: "ack", n });
  }

  cancel(lease: LeaseRef, reason: CancelReason): void {
    this.#tell(lease.run_id, lease.generation, { type: "cancel", reason });
  }

  #greet(socket: WebSocket, attachment: LinkAttachment, hello: Extract<RunnerToRun, { type: "hello" }>): void {
    if (!RUNNER_PROTOCOLS_SERVED.includes(hello.protocol)) {
      closeQuietly(socket, RUNNER_CLOSE.protocol, `protocols served: ${RUNNER_PROTOCOLS_SERVED.join(", ")}`);
      return;
    }
    const greeting = this.#events.greet(attachment.lease, hello.runner, attachment.origin);
    if (greeting === null) {
      closeQuietly(socket, RUNNER_CLOSE.refused, "another runner holds this lease");
      return;
    }
    this.#ungreeted.clear(socket);
    this.#save(socket, { ...attachment, isGreeted: true });
    this.#send(socket, { type: "welcome", protocol: hello.protocol, ack: greeting.ack, order: greeting.order });
    if (greeting.cancel !== null) this.#send(socket, { type: "cancel", reason: greeting.cancel });
  }

  #tell(runId: string, generation: number, message: RunToRunner): void {
    for (const socket of this.#context.getWebSockets(tagOf(runId))) {
      const attachment: LinkAttachment | null = socket.deserializeAttachment();
      if (attachment?.lease.generation === generation && attachment.isGreeted) this.#send(socket, message);
    }
  }

  #send(socket: WebSocket, message: RunToRunner): void {
    sendQuietly(socket, JSON.stringify(message));
  }

  #save(socket: WebSocket, attachment: LinkAttachment): void {
    socket.serializeAttachment(attachment);
  }
}

/** @returns the socket with its time, if it is a runner's that has not said hello. */
function ungreeted(socket: WebSocket): (readonly [WebSocket, number])[] {
  const attachment: LinkAttachment | { kind: "viewer" } | null = socket.deserializeAttachment();
  if (attachment?.kind !== "link" || attachment.isGreeted || socket.readyState !== WebSocket.OPEN) return [];
  return [[socket, attachment.helloByMs ?? Date.now() + HELLO_DEADLINE_MS]];
}

function tagOf(runId: string): string {
  return `link:${runId}`;
}
