/** Moves a stream's bytes on as they come, and looks at each piece on its way. */

/**
 * @param onChunk sees each piece before it is passed on.
 * @param onEnd runs once, before the end is passed on; also when either side has gone away.
 * @returns the stream to pass on, and a promise for `waitUntil` that never rejects.
 */
export function pump(
  source: ReadableStream<Uint8Array>,
  onChunk: (chunk: Uint8Array) => void,
  onEnd: () => Promise<void>,
): { stream: ReadableStream<Uint8Array>; done: Promise<void> } {
  const { readable, writable } = new IdentityTransformStream();
  return { stream: readable, done: move(source.getReader(), writable.getWriter(), onChunk, onEnd) };
}

async function move(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  onChunk: (chunk: Uint8Array) => void,
  onEnd: () => Promise<void>,
): Promise<void> {
  let fault: unknown = null;
  // While nothing comes, only this tells that the one who reads has gone away.
  writer.closed.catch((error) => reader.cancel(error).catch(() => {}));
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      onChunk(value);
      await writer.write(value);
    }
  } catch (error) {
    // The one who reads or the one who sends has gone away: the other is told.
    fault = error ?? new Error("the stream broke");
    await reader.cancel(fault).catch(() => {});
  }
  await onEnd().catch(() => {});
  await (fault === null ? writer.close() : writer.abort(fault)).catch(() => {});
}
