/** Counts what a run has to do with hosts, by the connections that were opened for it. */
import type { Socket } from "node:net";
import type { HostUse } from "#protocol/host-use.ts";
import { HostTally } from "#rules/network/host-tally.ts";

export class OutsideTally {
  readonly #ended = new HostTally();
  /** What goes on: asked for, and not yet answered to the end. */
  readonly #open = new Set<AskedHost>();

  denied(host: string): void {
    this.#ended.add({ host, allowed: false, requests: 1, bytes_sent: 0, bytes_received: 0 });
  }

  /** An allowed request, or a connection of which only its bytes are seen: counted whether it is ever answered or not. */
  asked(host: string): AskedHost {
    const asked = new AskedHost(host, () => {
      if (this.#open.delete(asked)) this.#ended.add(asked.use);
    });
    this.#open.add(asked);
    return asked;
  }

  /** As it stands now. */
  get rows(): HostUse[] {
    const all = new HostTally(this.#ended.rows);
    for (const { use } of this.#open) all.add(use);
    return all.rows;
  }
}

/** One request to a host that is allowed, until its connection has ended. */
export class AskedHost {
  readonly #host: string;
  readonly #onEnd: () => void;
  #socket: Socket | null = null;
  #isAllowed = true;

  /** @param onEnd may be called more than once. */
  constructor(host: string, onEnd: () => void) {
    this.#host = host;
    this.#onEnd = onEnd;
  }

  /** There is a connection for it: all its bytes are counted, with what belongs to HTTP or TLS. */
  opened(socket: Socket): void {
    this.#socket = socket;
    socket.once("close", this.#onEnd);
  }

  /** Nobody answers. */
  unopened(): void {
    this.#onEnd();
  }

  /** It is refused after all, for what its name leads to. */
  denied(): void {
    this.#isAllowed = false;
    this.#socket = null;
    this.#onEnd();
  }

  get use(): HostUse {
    const { bytesWritten = 0, bytesRead = 0 } = this.#socket ?? {};
    const [host, allowed] = [this.#host, this.#isAllowed];
    return { host, allowed, requests: 1, bytes_sent: bytesWritten, bytes_received: bytesRead };
  }
}
