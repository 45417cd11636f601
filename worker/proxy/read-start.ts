/** Reads the beginning of an answer, and leaves the rest. */
import { withinDeadline } from "#instance/in-time.ts";

/** How long the beginning of an answer may take: some answers never end. */
const DEADLINE_MS = 5_000;

/**
 * @returns the first bytes as text, at most so many and a piece more; less when the answer breaks, or has not come in time.
 * Never rejects.
 */
export async function readStart(
  body: ReadableStream<Uint8Array> | null,
  bytes: number,
  deadlineMs = DEADLINE_MS,
): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const read = async () => {
    for (let length = 0; length < bytes; ) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  };
  // After a fault or the deadline, whatever has come is returned.
  await withinDeadline(read(), deadlineMs, "the answer").catch(() => {});
  void reader.cancel().catch(() => {});
  return text;
}
