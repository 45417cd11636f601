/** What an upstream says of a push: report-status, plain or in band 1 of a side band. Pure. */
import { type Packet, PacketReader } from "./pkt-line.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });

/** More than one push may set: what an upstream tells without end is not kept. */
const REFS_READ = 1_000;

/** Reads a report out of an answer of receive-pack. Which of the two forms it has is told by the answer itself. */
export class PushReport {
  readonly #outer = new PacketReader();
  readonly #inner = new PacketReader();
  readonly #accepted = new Set<string>();
  readonly #refused = new Set<string>();
  #isReadable = true;

  push(bytes: Uint8Array): void {
    if (!this.#isReadable) return;
    try {
      for (const packet of this.#outer.push(bytes)) this.#readOuter(packet);
    } catch {
      // Not a report: nothing more can be learned from it.
      this.#isReadable = false;
    }
  }

  /** The refs that the upstream says it has taken. */
  accepted(): ReadonlySet<string> {
    return this.#accepted;
  }

  /** The refs that the upstream says it has not taken; those that it tells nothing of are in neither. */
  refused(): ReadonlySet<string> {
    return this.#refused;
  }

  #readOuter(packet: Packet): void {
    const band = packet?.[0];
    if (packet === null || band === 2 || band === 3) return;
    const report = band === 1 ? this.#inner.push(packet.subarray(1)) : [packet];
    for (const line of report) if (line !== null) this.#readLine(line);
  }

  #readLine(packet: Uint8Array): void {
    const [, word, ref] = /^(ok|ng) ([^ \n]+)/.exec(decoder.decode(packet)) ?? [];
    if (ref === undefined || this.#accepted.size + this.#refused.size >= REFS_READ) return;
    (word === "ok" ? this.#accepted : this.#refused).add(ref);
  }
}
