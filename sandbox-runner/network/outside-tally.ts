/** Counts what a run has to do with hosts, by the connections that were opened for it. */
import type { Socket } from "node:net";
import type { HostUse } from "#protocol/host-use.ts";
import { HostTally } from "#rules/network/host-tally.ts";

export class OutsideTally {
  readonly #ended = new HostTally();
  /** Connections that are open, and the host that each is to. */
  readonly #open = new Map<Socket, string>();

  denied(host: string): void {
    this.#ended.add({ host, allowed: false, requests: 1, bytes_sent: 0, bytes_received: 0 });
  }

  /** An allowed request, or a connection of which only its bytes are seen. */
  asked(host: string): void {
    this.#ended.add({ host, allowed: true, requests: 1, bytes_sent: 0, bytes_received: 0 });
  }

  /** Counts the bytes of a connection to the host, with what belongs to HTTP or TLS. */
  watch(host: string, socket: Socket): void {
    this.#open.set(socket, host);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#ended.add(useOf(host, socket));
    });
  }

  /** As it stands now. */
  get rows(): HostUse[] {
    const all = new HostTally(this.#ended.rows);
    for (const [socket, host] of this.#open) all.add(useOf(host, socket));
    return all.rows;
  }
}

function useOf(host: string, { bytesWritten, bytesRead }: Socket): HostUse {
  return { host, allowed: true, requests: 0, bytes_sent: bytesWritten, bytes_received: bytesRead };
}
