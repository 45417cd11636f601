/** Pure: git's pkt-line framing, what a push asks for, and what the upstream reports of it. */
import { isNothing, type RefUpdate } from "#protocol/push-marks.ts";

/** A packet's payload, or null for a flush packet. */
export type Packet = Uint8Array | null;

const decoder = new TextDecoder();

/** Splits bytes into packets as they come. */
export class PacketReader {
  #rest: Uint8Array = new Uint8Array();

  /** @returns the packets that are whole with these bytes. @throws RangeError when the bytes are no pkt-line. */
  push(bytes: Uint8Array): Packet[] {
    this.#rest = joinBytes(this.#rest, bytes);
    const packets: Packet[] = [];
    let offset = 0;
    for (;;) {
      const packet = packetAt(this.#rest, offset);
      if (packet === null) break;
      packets.push(packet.payload);
      offset += packet.length;
    }
    this.#rest = this.#rest.slice(offset);
    return packets;
  }
}

/** @returns the packet at an offset with its length on the wire, or null while it is not whole. */
export function packetAt(bytes: Uint8Array, offset: number): { payload: Packet; length: number } | null {
  if (bytes.length - offset < 4) return null;
  const digits = decoder.decode(bytes.subarray(offset, offset + 4));
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new RangeError("not a pkt-line");
  const length = Number.parseInt(digits, 16);
  if (length === 0) return { payload: null, length: 4 };
  if (length < 4) throw new RangeError("not a pkt-line of this protocol version");
  if (bytes.length - offset < length) return null;
  return { payload: bytes.slice(offset + 4, offset + length), length };
}

/** One ref that a push asks to change. */
export type PushCommand = RefUpdate;

export interface PushRequest {
  commands: PushCommand[];
  capabilities: string[];
}

/** @param packets what came before the first flush packet. @throws RangeError when they are not a push's commands. */
export function parsePush(packets: readonly Uint8Array[]): PushRequest {
  const commands: PushCommand[] = [];
  let capabilities: string[] = [];
  for (const packet of packets) {
    const [line = "", listed] = decoder.decode(packet).replace(/\n$/, "").split("\0");
    if (listed !== undefined) capabilities = listed.split(" ").filter((name) => name !== "");
    if (/^shallow [0-9a-f]+$/.test(line)) continue;
    const [, previous, commit, ref] = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (.+)$/.exec(line) ?? [];
    if (previous === undefined || commit === undefined || ref === undefined) throw new RangeError("not a push command");
    commands.push({ previous, commit, ref });
  }
  return { commands, capabilities };
}

/** Reads report-status out of a receive-pack answer, plain or in band 1 of a side band. */
export class PushReport {
  readonly #outer = new PacketReader();
  readonly #inner = new PacketReader();
  readonly #hasSideBand: boolean;
  readonly #accepted = new Set<string>();
  readonly #refused = new Set<string>();
  #isReadable = true;

  constructor(capabilities: readonly string[]) {
    this.#hasSideBand = capabilities.includes("side-band-64k") || capabilities.includes("side-band");
  }

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
    if (packet === null) return;
    const report = this.#hasSideBand ? this.#inBand(packet) : [packet];
    for (const line of report) if (line !== null) this.#readLine(line);
  }

  #inBand(packet: Uint8Array): Packet[] {
    return packet[0] === 1 ? this.#inner.push(packet.subarray(1)) : [];
  }

  #readLine(packet: Uint8Array): void {
    const [, word, ref] = /^(ok|ng) ([^ \n]+)/.exec(decoder.decode(packet)) ?? [];
    if (ref !== undefined) (word === "ok" ? this.#accepted : this.#refused).add(ref);
  }
}

export interface PushedBranch {
  branch: string;
  commit: string;
  /** The commit that the branch had before; null for a new branch. */
  previous: string | null;
}

/** The branches that a push has set, without those that it deleted. */
export function pushedBranches(commands: readonly PushCommand[], accepted: ReadonlySet<string>): PushedBranch[] {
  return commands.flatMap(({ previous, commit, ref }) => {
    const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
    if (branch === undefined || !accepted.has(ref) || isNothing(commit)) return [];
    return [{ branch, commit, previous: isNothing(previous) ? null : previous }];
  });
}

export function joinBytes(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right;
  const joined = new Uint8Array(left.length + right.length);
  joined.set(left);
  joined.set(right, left.length);
  return joined;
}
