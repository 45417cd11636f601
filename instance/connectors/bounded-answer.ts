/** The answer, which breaks off where it is longer than what was asked for can be. @param onLong hears of that. */
export function boundedAnswer(answer: Response, most: number, onLong: () => void = () => {}): Response {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes <= most) {
        controller.enqueue(chunk);
        return;
      }
      onLong();
      controller.error(new Error("the answer is too long"));
    },
  });
  const body = answer.body?.pipeThrough(counter) ?? null;
  return new Response(body, { status: answer.status, headers: answer.headers });
}
