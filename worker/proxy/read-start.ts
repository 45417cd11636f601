/** Reads the beginning of an answer, and leaves the rest. */

/** @returns the first bytes as text, at most so many and a piece more; less when the answer breaks. Never rejects. */
export async function readStart(body: ReadableStream<Uint8Array> | null, bytes: number): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let length = 0; length < bytes; ) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // What came before is what there is.
  }
  await reader.cancel().catch(() => {});
  return text;
}
