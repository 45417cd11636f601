/**
 * Messages of runners on their runs' sockets (hello, frames, deltas), and the answers: the order, and which frames are
 * missing.
 */

import { shownIdentity } from "#instance/commit-key.ts";
import type { Config } from "#instance/config.ts";
import { closeQuietly, refuseUpgrade } from "#instance/sockets.ts";
import { logTrouble } from "#protocol/log.ts";
import type { CancelReason } from "#protocol/run.ts";
import {
  type LeaseRef,
  RUNNER_CLOSE,
  RUNNER_PROTOCOLS_SERVED,
  type RunnerToRun,
  type RunOrder,
  runnerToRunSchema,
} from "#protocol/runner-link.ts";
import type { Delta } from "#protocol/transcript.ts";
import { parseJson } from "#rules/json.ts";
import type { Hello } from "#rules/run/inputs.ts";
import { runOrder } from "#rules/run/run-order.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Viewers } from "../viewers/viewers.ts";
import type { Work } from "../work.ts";
import type { ReceiveFrames } from "./receive-frames.ts";
import type { RunEngine } from "./run-engine.ts";
import type { LinkAttachment, RunSockets } from "./run-sockets.ts";
import type { RunRow } from "./run-store.ts";

interface Greeting {
  ack: number;
  order: RunOrder;
  cancel: CancelReason | null;
}

interface Parts {
  sockets: RunSockets;
  engine: RunEngine;
  frames: ReceiveFrames;
  viewers: Viewers;
  definitions: DefinitionStore;
  work: Work;
  config: Pick<Config, "publicUrl" | "allowedModels" | "commit">;
  /** Has the object of the container in which a runner works on a lease look whether the container is there. */
  lookAtContainer(lease: LeaseRef, runnerId: string): Promise<void>;
}

export class RunLinks {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * The upgrade of an attempt's runner, whose link token the worker has checked. Also in a deleted routine, until its runs
   * have stopped.
   */
  accept(url: URL): Response {
    const lease = { run_id: url.searchParams.get("run") ?? "", generation: Number(url.searchParams.get("generation")) };
    const origin = url.searchParams.get("origin") ?? url.origin;
    if (this.#parts.engine.leased(lease) === null) return refuseUpgrade(RUNNER_CLOSE.refused, "the attempt has ended");
    const { 0: client, 1: server } = new WebSocketPair();
    this.#parts.sockets.accept(server, lease, origin);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** @returns whether the message was on a runner's socket. */
  receive(socket: WebSocket, text: string): boolean {
    const attachment = this.#parts.sockets.of(socket);
    if (attachment !== null) this.#receive(socket, attachment, text);
    return attachment !== null;
  }

  /** A socket has closed, or has failed. Of a container that has vanished this is the first sign. */
  closed(socket: WebSocket): void {
    const lease = this.#parts.sockets.of(socket)?.lease;
    const runner = lease === undefined ? null : this.#parts.engine.runnerOf(lease);
    if (lease === undefined || runner?.kind !== "container") return;
    this.#parts.lookAtContainer(lease, runner.id).catch((error) => {
      logTrouble("container_call_failed", { ...lease, call: "look" }, error);
    });
  }

  #receive(socket: WebSocket, attachment: LinkAttachment, text: string): void {
    const { engine, sockets, frames } = this.#parts;
    const { lease } = attachment;
    const parsed = runnerToRunSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      closeQuietly(socket, RUNNER_CLOSE.badMessage, "not a message of this protocol");
      return;
    }
    if (engine.leased(lease) === null) {
      closeQuietly(socket, RUNNER_CLOSE.refused, "the attempt has ended");
      return;
    }
    const message = parsed.data;
    if (message.type === "hello") this.#hello(socket, attachment, message);
    else if (!attachment.isGreeted) closeQuietly(socket, RUNNER_CLOSE.badMessage, "hello comes first");
    else if (message.type === "delta") this.#delta(lease, message.delta);
    else {
      const missingAfter = frames.take(lease, message.frames);
      if (missingAfter !== null) sockets.send(socket, { type: "resend", after: missingAfter });
    }
  }

  #hello(socket: WebSocket, attachment: LinkAttachment, hello: Extract<RunnerToRun, { type: "hello" }>): void {
    const { sockets } = this.#parts;
    if (!RUNNER_PROTOCOLS_SERVED.includes(hello.protocol)) {
      closeQuietly(socket, RUNNER_CLOSE.protocol, `protocols served: ${RUNNER_PROTOCOLS_SERVED.join(", ")}`);
      return;
    }
    const greeting = this.#greet(
      attachment.lease,
      { runner: hello.runner, boot: hello.boot ?? null },
      attachment.origin,
    );
    if (greeting === null) {
      closeQuietly(socket, RUNNER_CLOSE.refused, "another runner, or another process of it, has this lease");
      return;
    }
    sockets.greeted(socket, attachment);
    sockets.send(socket, { type: "welcome", protocol: hello.protocol, ack: greeting.ack, order: greeting.order });
    if (greeting.cancel !== null) sockets.send(socket, { type: "cancel", reason: greeting.cancel });
  }

  /** @returns what the runner needs to begin or go on, or null when another one, or another process of it, has the lease. */
  #greet(lease: LeaseRef, hello: Hello, origin: string): Greeting | null {
    const { frames, work, engine, definitions, config } = this.#parts;
    frames.flush();
    return work.change((tx) => {
      engine.feed(tx, lease.run_id, { type: "leased", ...hello });
      // The attempt may have ended just now.
      const row = engine.leased(lease);
      if (row === null || !isSame(row, hello)) return null;
      const definition = definitions.atRevision(row.doc.routine.revision);
      const order = runOrder(row.doc, definition, row, {
        baseUrl: config.publicUrl ?? origin,
        otherModels: config.allowedModels,
        commit: shownIdentity(config.commit),
      });
      return { ack: engine.lastFrame(row), order, cancel: row.doc.cancel_reason };
    });
  }

  #delta(lease: LeaseRef, delta: Delta): void {
    const row = this.#parts.engine.leased(lease);
    if (row !== null) this.#parts.viewers.sendDelta(row.sessionId, delta);
  }
}

function isSame({ doc, boot }: RunRow, hello: Hello): boolean {
  return doc.runner?.id === hello.runner.id && (hello.boot === null || hello.boot === boot);
}
