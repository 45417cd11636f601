/** Reads a request's body, counted while it comes. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import { BodyPace, BodyTooSlow, paced } from "./body-pace.ts";

/** Told of bytes before they are held, of all together where their number is known. @returns a refusal, or null. */
type Take = (bytes: number) => ReturnType<typeof refuse> | null;

/** A longer body is read piece by piece, so that it is seen how it comes: as one it would be waited for as long as it may take. */
const READ_WHOLE_BYTES = 65_536;

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
  if (told <= READ_WHOLE_BYTES) return take(told) ?? success(new Uint8Array(await pace.whole(request, told)));
  if (told <= limitBytes) return await readInto(request.body, told, take, pace);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of paced(request.body, pace)) {
    length += chunk.byteLength;
    if (length > limitBytes) return tooLarge;
    const refused = take(chunk.byteLength);
    if (refused !== null) return refused;
    chunks.push(chunk);
  }
  return success(concatenate(chunks, length));
}

/**
 * What is held grows with what comes, to twice as much at most: whoever tells a great length and sends little takes up little.
 * @returns what has come.
 */
async function readInto(
  body: ReadableStream<Uint8Array>,
  told: number,
  take: Take,
  pace: BodyPace,
): Promise<Result<Uint8Array<ArrayBuffer>>> {
  let whole = new Uint8Array(0);
  let length = 0;
  for await (const chunk of paced(body, pace)) {
    const needed = length + chunk.byteLength;
    if (needed > whole.length) {
      const grown = Math.min(told, Math.max(needed, 2 * whole.length, READ_WHOLE_BYTES));
      const refused = take(grown - whole.length);
      if (refused !== null) return refused;
      const before = whole;
      whole = new Uint8Array(grown);
      whole.set(before);
    }
    whole.set(chunk, length);
    length = needed;
  }
  return success(whole.subarray(0, length));
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
