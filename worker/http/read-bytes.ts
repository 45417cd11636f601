/** Reads a request's body, counted while it comes. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import { BodyPace, BodyTooSlow, paced } from "./body-pace.ts";

/** Told of bytes before they are held, of all together where their number is known. @returns a refusal, or null. */
type Take = (bytes: number) => ReturnType<typeof refuse> | null;

/**
 * Reads at most `limitBytes`; stops and refuses as soon as there are more (`body_too_large`), and when they come too slowly
 * (`body_too_slow`).
 */
export async function readBytes(
  request: Request,
  limitBytes: number,
  take: Take = () => null,
  pace = new BodyPace(),
): Promise<Result<Uint8Array<ArrayBuffer>>> {
  try {
    return await read(request, limitBytes, take, pace);
  } catch (error) {
    if (!(error instanceof BodyTooSlow)) throw error;
    return refuse("body_too_slow", { field: "body" });
  }
}

async function read(
  request: Request,
  limitBytes: number,
  take: Take,
  pace: BodyPace,
): Promise<Result<Uint8Array<ArrayBuffer>>> {
  const tooLarge = refuse("body_too_large", { limit_bytes: limitBytes, field: "body" });
  const told = Number(request.headers.get("content-length") ?? Number.NaN);
  if (told > limitBytes) return tooLarge;
  if (request.body === null) return success(new Uint8Array());
  // No more than the length that was told can come.
  if (told <= limitBytes) return take(told) ?? success(new Uint8Array(await pace.whole(request, told)));
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of paced(request.body, pace)) {
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
