/** Moves a stream's bytes on as they come, and looks at each piece on its way. */

export interface PumpOptions {
  /** Sees each piece before it is passed on. */
  onChunk: (chunk: Uint8Array) => void;
  /** Runs once, before the end is passed on; also when either side has gone away. */
  onEnd: () => Promise<void>;
  /** Aborted when the one who reads has gone away: then the source is left. Without it, it is read to its end all the same. */
  leaveOn?: AbortSignal;
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
  { onChunk, onEnd, leaveOn }: PumpOptions,
): Promise<void> {
  let fault: unknown = null;
  // While nothing comes, only the signal tells that the one who reads has gone away.
  leaveOn?.addEventListener("abort", () => reader.cancel(leaveOn.reason).catch(() => {}), { once: true });
  let passOn = (chunk: Uint8Array) => writer.write(chunk);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
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
  await onEnd().catch(() => {});
  await (fault === null ? writer.close() : writer.abort(fault)).catch(() => {});
}
