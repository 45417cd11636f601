/** Sockets of the runners that work on this routine's runs: frames in; order, acknowledgement and cancel out. */

import { closeQuietly, refuseUpgrade, sendQuietly } from "#instance/sockets.ts";
import type { CancelReason, RunnerRef } from "#protocol/run.ts";
import {
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

  constructor(context: DurableObjectState, events: LinkEvents) {
    this.#context = context;
    this.#events = events;
  }

  /** Takes in the socket of an attempt's runner. A newer socket replaces the one before. */
  accept(lease: LeaseRef, origin: string): Response {
    if (!this.#events.isOn(lease)) return refuseUpgrade(RUNNER_CLOSE.refused, "the attempt has ended");
    for (const before of this.#context.getWebSockets(tagOf(lease.run_id))) {
      closeQuietly(before, RUNNER_CLOSE.replaced, "another connection has taken over");
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.#context.acceptWebSocket(server, [tagOf(lease.run_id)]);
    this.#save(server, { kind: "link", lease, origin, isGreeted: false });
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

function tagOf(runId: string): string {
  return `link:${runId}`;
}
