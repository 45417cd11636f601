/** The answer, which breaks off where it is longer than what was asked for can be. */
export function boundedAnswer(answer: Response, most: number): Response {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > most) controller.error(new Error("the answer is too long"));
      else controller.enqueue(chunk);
    },
  });
  const body = answer.body?.pipeThrough(counter) ?? null;
  return new Response(body, { status: answer.status, headers: answer.headers });
}
