/** Where refs of a repository stand, out of what `info/refs` of git's smart HTTP tells. */

import { withinDeadline } from "#instance/in-time.ts";
import { isNothing } from "#rules/push-marks.ts";
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
  const found = new Map<string, string>();
  await visitRefs(body, deadlineMs, (ref, object) => {
    if (wanted.has(ref)) found.set(ref, object);
    return true;
  });
  return found;
}

/** Whether there is any ref. @throws Error as `readRefs` does, and when it breaks off before it has told. */
export async function hasRefs(body: ReadableStream<Uint8Array>, deadlineMs: number): Promise<boolean> {
  let hasOne = false;
  const flushes = await visitRefs(body, deadlineMs, () => {
    hasOne = true;
    return false;
  });
  // One ends what the answer is about, the second one the refs.
  if (!hasOne && flushes < 2) throw new RangeError("the upstream has not told of all refs");
  return hasOne;
}

type Visit = (ref: string, object: string) => boolean;

/** @param visit told of each ref; false ends it. @returns how many flush packets there were. */
async function visitRefs(body: ReadableStream<Uint8Array>, deadlineMs: number, visit: Visit): Promise<number> {
  const reader = body.getReader();
  try {
    return await withinDeadline(readAll(reader, visit), deadlineMs, "the upstream");
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>, visit: Visit): Promise<number> {
  const packets = new PacketReader();
  let length = 0;
  let isTold = false;
  let flushes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done && !isTold) throw new RangeError("the upstream tells nothing of refs");
    if (done) return flushes;
    length += value.length;
    if (length > LIMIT_BYTES) throw new RangeError("the upstream tells of too many refs");
    for (const packet of packets.push(value)) {
      isTold = true;
      if (packet === null) flushes += 1;
      const line = packet === null ? "" : (decoder.decode(packet).split("\0", 1)[0] ?? "");
      const [, object, ref] = /^([0-9a-f]{40}|[0-9a-f]{64}) ([^\n]+)\n?$/.exec(line) ?? [];
      // A repository without a ref tells its features on a line of zeros.
      if (object === undefined || ref === undefined || isNothing(object)) continue;
      if (!visit(ref, object)) return flushes;
    }
  }
}
