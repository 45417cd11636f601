/** Where refs of a repository stand, out of what `info/refs` of git's smart HTTP tells. */
import { within } from "../within.ts";
import { PacketReader } from "./pkt-line.ts";

/** What an upstream may tell: room for hundreds of thousands of refs. */
const LIMIT_BYTES = 67_108_864;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });

/**
 * @param wanted whole names of refs.
 * @returns those that are there, with what they point to. @throws Error when it is no such answer, too long, or takes longer.
 */
export async function readRefs(
  body: ReadableStream<Uint8Array>,
  wanted: ReadonlySet<string>,
  deadlineMs: number,
): Promise<Map<string, string>> {
  const reader = body.getReader();
  try {
    return await within(deadlineMs, "the upstream", readAll(reader, wanted));
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  wanted: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const packets = new PacketReader();
  const found = new Map<string, string>();
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return found;
    length += value.length;
    if (length > LIMIT_BYTES) throw new RangeError("the upstream tells of too many refs");
    for (const packet of packets.push(value)) {
      const line = packet === null ? "" : (decoder.decode(packet).split("\0", 1)[0] ?? "");
      const [, object, ref] = /^([0-9a-f]{40}|[0-9a-f]{64}) ([^\n]+)\n?$/.exec(line) ?? [];
      if (object !== undefined && ref !== undefined && wanted.has(ref)) found.set(ref, object);
    }
  }
}
