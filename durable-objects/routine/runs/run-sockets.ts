/** Sockets of the runners that work on this routine's runs, and what goes out on them. They outlive an eviction. */
import { SocketDeadlines } from "#instance/socket-deadlines.ts";
import { closeQuietly, sendQuietly } from "#instance/sockets.ts";
import { HELLO_DEADLINE_MS, type LeaseRef, RUNNER_CLOSE, type RunToRunner } from "#protocol/runner-link.ts";

export interface LinkAttachment {
  kind: "link";
  lease: LeaseRef;
  /** The instance's address as the runner's request came in. */
  origin: string;
  isGreeted: boolean;
  /** Until when hello has to come, in Unix milliseconds; absent on sockets that an earlier version has taken in. */
  helloByMs?: number;
}

export class RunSockets {
  readonly #context: Pick<DurableObjectState, "getWebSockets" | "acceptWebSocket">;
  readonly #ungreeted: SocketDeadlines;
  /** Attachments as they were last read or written: they are looked at with every message. */
  readonly #known = new WeakMap<WebSocket, LinkAttachment>();

  constructor(context: Pick<DurableObjectState, "getWebSockets" | "acceptWebSocket">) {
    this.#context = context;
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
  accept(socket: WebSocket, lease: LeaseRef, origin: string): void {
    for (const before of this.#context.getWebSockets(tagOf(lease.run_id))) {
      this.#ungreeted.clear(before);
      closeQuietly(before, RUNNER_CLOSE.replaced, "another connection has taken over");
    }
    this.#context.acceptWebSocket(socket, [tagOf(lease.run_id)]);
    const helloByMs = Date.now() + HELLO_DEADLINE_MS;
    this.#save(socket, { kind: "link", lease, origin, isGreeted: false, helloByMs });
    this.#ungreeted.set(socket, helloByMs);
  }

  /** The run is gone: whoever works on it is to stop, and not to come back. */
  end(runId: string): void {
    for (const socket of this.#context.getWebSockets(tagOf(runId))) {
      this.#ungreeted.clear(socket);
      closeQuietly(socket, RUNNER_CLOSE.refused, "the attempt has ended");
    }
  }

  /** Whose socket it is; null when it is no runner's. */
  of(socket: WebSocket): LinkAttachment | null {
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const attachment: LinkAttachment | { kind: "viewer" } | null = socket.deserializeAttachment();
    if (attachment?.kind !== "link") return null;
    this.#known.set(socket, attachment);
    return attachment;
  }

  /** The runner has said hello. */
  greeted(socket: WebSocket, attachment: LinkAttachment): void {
    this.#ungreeted.clear(socket);
    this.#save(socket, { ...attachment, isGreeted: true });
  }

  send(socket: WebSocket, message: RunToRunner): void {
    sendQuietly(socket, JSON.stringify(message));
  }

  /** Everything up to this frame is stored. */
  acknowledge(lease: LeaseRef, n: number): void {
    this.tell(lease, { type: "ack", n });
  }

  /** Says it to the attempt's runner if that is connected and has said hello. */
  tell(lease: LeaseRef, message: RunToRunner): void {
    for (const socket of this.#greetedOf(lease)) this.send(socket, message);
  }

  /** Whether the attempt's runner would hear what is said to it now. */
  isHeard(lease: LeaseRef): boolean {
    return this.#greetedOf(lease).some(({ readyState }) => readyState === WebSocket.OPEN);
  }

  #greetedOf({ run_id, generation }: LeaseRef): WebSocket[] {
    return this.#context.getWebSockets(tagOf(run_id)).filter((socket) => {
      const attachment = this.of(socket);
      return attachment?.lease.generation === generation && attachment.isGreeted;
    });
  }

  #save(socket: WebSocket, attachment: LinkAttachment): void {
    this.#known.set(socket, attachment);
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
