/** Moves a stream's bytes on as they come, and looks at each piece on its way. */
import type { Stall } from "./stall.ts";

export interface PumpOptions {
  /** Sees each piece before it is passed on. */
  onChunk: (chunk: Uint8Array) => void;
  /** Runs once, before the end is passed on; also when either side has gone away. */
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
  { onChunk, onEnd, leaveOn, stall }: PumpOptions,
): Promise<void> {
  let fault: unknown = null;
  // While nothing comes, only the signal tells that the one who reads has gone away.
  leaveOn?.addEventListener("abort", () => reader.cancel(leaveOn.reason).catch(() => {}), { once: true });
  stall?.signal.addEventListener("abort", () => {
    fault = stall.signal.reason;
    reader.cancel(fault).catch(() => {});
  });
  let passOn = (chunk: Uint8Array) => writer.write(chunk);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      stall?.touch();
      onChunk(value);
      await passOn(value).catch((error) => {
        if (leaveOn !== undefined) throw error;
        passOn = async () => {};
      });
    }
  } catch (error) {
    fault = error ?? new Error("the stream broke");
    await reader.cancel(fault).catch(() => {});
  }
  stall?.end();
  await onEnd().catch(() => {});
  await (fault === null ? writer.close() : writer.abort(fault)).catch(() => {});
}
