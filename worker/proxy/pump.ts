/** Moves a stream's bytes on as they come, and looks at each piece on its way. */
import type { Stall } from "./stall.ts";

export interface PumpOptions {
  /** Sees each piece before it is passed on. */
  onChunk: (chunk: Uint8Array) => void;
  /** Asked after each piece: true when the answer is whole with it, whether or not its stream has ended. */
  isComplete?: () => boolean;
  /** Each piece waits for the next, so that the last one is known: for answers that nobody reads before they are whole. */
  holdsLast?: boolean;
  /**
   * Runs once: before the piece that completes the answer is passed on, else before the end is; also when either side has
   * gone away. When it rejects, what is passed on breaks off.
   */
  onEnd: () => Promise<void>;
  /** Aborted when the one who reads has gone away: then the source is left. Without it, it is read to its end all the same. */
  leaveOn?: AbortSignal;
  /** Told of each piece; when it notices that nothing comes, the source is left, and what is passed on breaks off. */
  stall?: Stall;
}

/** @returns the stream to pass on, and a promise for `waitUntil` that never rejects. */
export function pump(
  source: ReadableStream<Uint8Array>,
  options: PumpOptions,
): { stream: ReadableStream<Uint8Array>; done: Promise<void> } {
  const { readable, writable } = new IdentityTransformStream();
  return { stream: readable, done: move(source.getReader(), writable.getWriter(), options) };
}

async function move(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  options: PumpOptions,
): Promise<void> {
  const { leaveOn, stall } = options;
  const end = once(options.onEnd);
  let fault: unknown = null;
  // While nothing comes, only the signal tells that the one who reads has gone away.
  leaveOn?.addEventListener("abort", () => reader.cancel(leaveOn.reason).catch(() => {}), { once: true });
  stall?.signal.addEventListener("abort", () => {
    fault = stall.signal.reason;
    reader.cancel(fault).catch(() => {});
  });
  try {
    await passAll(reader, writer, options, end);
  } catch (error) {
    fault = error ?? new Error("the stream broke");
    await reader.cancel(fault).catch(() => {});
  }
  stall?.end();
  // Where it has run already, this is what came of it.
  await end().catch((error: unknown) => {
    fault ??= error ?? new Error("the end was not reached");
  });
  await (fault === null ? writer.close() : writer.abort(fault)).catch(() => {});
}

async function passAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  { onChunk, isComplete = () => false, holdsLast = false, leaveOn, stall }: PumpOptions,
  end: () => Promise<void>,
): Promise<void> {
  let write = (chunk: Uint8Array) => writer.write(chunk);
  const passOn = (chunk: Uint8Array) =>
    write(chunk).catch((error) => {
      if (leaveOn !== undefined) throw error;
      write = async () => {};
    });
  let held: Uint8Array | null = null;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    stall?.touch();
    onChunk(value);
    if (isComplete()) await end();
    if (held !== null) await passOn(held);
    if (holdsLast) held = value;
    else await passOn(value);
  }
  if (held === null) return;
  await end();
  await passOn(held);
}

/** @returns what does the work the first time, and has its outcome ready afterwards. */
function once(work: () => Promise<void>): () => Promise<void> {
  let begun: Promise<void> | null = null;
  return () => {
    begun ??= work();
    return begun;
  };
}
