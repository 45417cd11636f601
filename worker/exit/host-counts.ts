/**
 * What containers ask of hosts, as this isolate has seen it: counted here, and told to the run's object every few seconds,
 * never for each request. What an isolate has not told when it ends is lost.
 */
import type { HostUse } from "#protocol/host-use.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { HostTally } from "#rules/network/host-tally.ts";

/** How long what has been counted waits for more. The platform lets work go on for 30 seconds after an answer. */
const TOLD_AFTER_MS = 5_000;
/** What has waited longer waits for a request that the platform has ended, and would never be told. */
const LOST_AFTER_MS = 60_000;

interface Waiting {
  since: number;
  tally: HostTally;
}

export class HostCounts {
  readonly #waiting = new Map<string, Waiting>();

  /**
   * Counts a part of what the attempt asked.
   * @param tell is called with all that has been counted since the last time.
   * @returns what is to be waited for: null while the attempt is waited for already.
   */
  add(
    { run_id, generation }: LeaseRef,
    use: HostUse,
    tell: (rows: HostUse[]) => Promise<void>,
    afterMs = TOLD_AFTER_MS,
    now = Date.now(),
  ): Promise<void> | null {
    const key = `${run_id}.${generation}`;
    const before = this.#waiting.get(key);
    if (before !== undefined && now - before.since < LOST_AFTER_MS) {
      before.tally.add(use);
      return null;
    }
    const begun = { since: now, tally: new HostTally([...(before?.tally.rows ?? []), use]) };
    this.#waiting.set(key, begun);
    return scheduler.wait(afterMs).then(() => {
      // Late and not lost: what it has counted is told by another.
      if (this.#waiting.get(key) !== begun) return;
      this.#waiting.delete(key);
      return tell(begun.tally.rows);
    });
  }
}

/**
 * The body, as it is, with its bytes told once it has passed or broken off. Where a header says how many there are, nothing of it
 * is looked at; what is compressed and says nothing of its length is not counted, for to look at it is to unpack it.
 */
export function counted(
  body: ReadableStream<Uint8Array> | null,
  headers: Headers,
  onCounted: (bytes: number) => void,
): ReadableStream<Uint8Array> | null {
  if (body === null) return null;
  const told = headers.get("content-length");
  if (told !== null && /^[0-9]{1,15}$/.test(told)) {
    onCounted(Number(told));
    return body;
  }
  if (headers.has("content-encoding")) return body;
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      controller.enqueue(chunk);
    },
    flush: () => onCounted(bytes),
    cancel: () => onCounted(bytes),
  });
  return body.pipeThrough(counter);
}
