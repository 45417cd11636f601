/**
 * How slowly a body may come. Who sends a byte now and then holds a request, and what it has taken up, for as long as it
 * likes; a deadline for the whole would cut off long bodies on slow lines. So what counts is how long the sender was waited
 * for, and each piece that has come earns it more, up to what it began with: who was fast may not be silent for the longer.
 * Time in which the reader itself was busy is not the sender's.
 */

/** In milliseconds, for any body; the longest silence as well. */
const GRACE_MS = 30_000;
/** What comes on the slowest line that is served, in bytes per millisecond: 128 kbit/s. */
const LEAST_RATE = 16;

/** `body_too_slow`. */
export class BodyTooSlow extends Error {}

type Read = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>>;

export class BodyPace {
  readonly #now: () => number;
  readonly #graceMs: number;
  /** For how long the sender may be waited for from here on, in milliseconds. */
  #left: number;
  #isOver = false;

  constructor(graceMs: number = GRACE_MS, now: () => number = Date.now) {
    this.#graceMs = graceMs;
    this.#left = graceMs;
    this.#now = now;
  }

  /** Whether the sender was too slow. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The next piece. @throws BodyTooSlow when it does not come in time. */
  async read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Read> {
    const begun = this.#now();
    const read = await this.#inTime(reader.read());
    const left = this.#left + (read.value?.length ?? 0) / LEAST_RATE - (this.#now() - begun);
    if (left < 0) throw this.#tooSlow();
    this.#left = Math.min(this.#graceMs, left);
    return read;
  }

  /** All of a short body whose length is known: how it comes is not seen. @throws BodyTooSlow when it does not come in time. */
  whole(request: Request, bytes: number): Promise<ArrayBuffer> {
    this.#left += bytes / LEAST_RATE;
    return this.#inTime(request.arrayBuffer());
  }

  async #inTime<Value>(coming: Promise<Value>): Promise<Value> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(this.#tooSlow()), Math.max(0, this.#left));
    // One that breaks after it was given up is nobody's fault any more.
    coming.catch(() => undefined);
    try {
      return await Promise.race([coming, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #tooSlow(): BodyTooSlow {
    this.#isOver = true;
    return new BodyTooSlow("the body comes too slowly");
  }
}

/** The same body, which breaks with `BodyTooSlow` when it comes too slowly. */
export function paced(body: ReadableStream<Uint8Array>, pace = new BodyPace()): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await pace.read(reader);
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          void reader.cancel(error).catch(() => undefined);
          throw error;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
