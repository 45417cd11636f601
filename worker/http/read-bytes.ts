/** Reads a request's body, counted while it comes. */
import { type Result, refuse, success } from "#protocol/errors.ts";

/**
 * Reads at most `limitBytes`; stops and refuses as soon as there are more.
 * @param take is told of bytes before they are held, of all together where their number is known. @returns a refusal, or null.
 */
export async function readBytes(
  request: Request,
  limitBytes: number,
  take: (bytes: number) => ReturnType<typeof refuse> | null = () => null,
): Promise<Result<Uint8Array<ArrayBuffer>>> {
  const tooLarge = refuse("body_too_large", { limit_bytes: limitBytes, field: "body" });
  const told = Number(request.headers.get("content-length") ?? Number.NaN);
  if (told > limitBytes) return tooLarge;
  if (request.body === null) return success(new Uint8Array());
  // No more than the length that was told can come.
  if (told <= limitBytes) return take(told) ?? success(new Uint8Array(await request.arrayBuffer()));
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.byteLength;
    if (length > limitBytes) return tooLarge;
    const full = take(chunk.byteLength);
    if (full !== null) return full;
    chunks.push(chunk);
  }
  return success(concatenate(chunks, length));
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
