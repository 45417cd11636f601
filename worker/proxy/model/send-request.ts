/** Sends a request on while it is still coming and being judged: its end leaves only when all of it has been. */
import type { Refusal, Result } from "#protocol/errors.ts";
import { joined, RequestReader, RequestRefused, type RequestRules } from "./request-reader.ts";
import { WellFormedBytes } from "./well-formed-bytes.ts";

/** A shorter request is judged as a whole before anything leaves; a longer one goes on as it comes. */
const WHOLE_BYTES = 524_288;
/**
 * A long request is sent with the length that it came with and this much more, for a longer name of the model: not every
 * upstream takes a body without its length. What is left over is blanks.
 */
const ROOM_BYTES = 4_096;

export type CallBody = ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>;

/** What the whole request has turned out to be. */
export interface ReadRequest {
  bytes: number;
  /** Whether some of it is to be kept in the cache for an hour. */
  cachesForHour: boolean;
}

export interface Sending {
  body: ReadableStream<Uint8Array>;
  /** As the request tells it; null when it does not. */
  length: number | null;
  /** A longer request is refused. */
  limitBytes: number;
  rules: RequestRules;
  /**
   * Decides, when all has been judged, whether the call is made.
   * @param held the fields that were held back, as they are written. @returns those that are sent in their place.
   */
  decide(held: ReadonlyMap<string, string>, request: ReadRequest): Promise<Result<ReadonlyMap<string, string>>>;
  /** Asks the upstream. Never rejects. */
  ask(body: CallBody): Promise<Result<Response>>;
}

/** What became of it. `refused`: the upstream has got nothing, or the beginning of a request that never ended. */
export type Sent =
  | { kind: "refused"; refusal: Refusal }
  /** The upstream answered before the request was there: no call was made. */
  | { kind: "turned away"; answer: Response }
  | { kind: "asked"; answer: Result<Response> };

export async function sendRequest(sending: Sending): Promise<Sent> {
  const reader = sending.body.getReader();
  const out = new Outgoing(sending);
  try {
    return await send(sending, reader, out);
  } catch (error) {
    await out.abort(error);
    if (error instanceof RequestRefused) {
      await drain(reader, sending.limitBytes);
      return { kind: "refused", refusal: error.refusal };
    }
    throw error;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function send(
  { rules, decide, length: told, limitBytes }: Sending,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  out: Outgoing,
): Promise<Sent> {
  const request = new RequestReader(rules, (piece) => out.add(piece));
  const wellFormed = new WellFormedBytes();
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > (told ?? limitBytes)) throw new RequestRefused(tooLarge(limitBytes));
    request.push(wellFormed.push(value));
    const early = await out.passOn();
    if (early === null) continue;
    await out.abort(new Error("the upstream has answered"));
    await drain(reader, limitBytes);
    return early.ok && early.value.status >= 400
      ? { kind: "turned away", answer: early.value }
      : { kind: "refused", refusal: early.ok ? await untimely(early.value) : early.refusal };
  }
  request.push(wellFormed.rest());
  const held = request.finish();
  const decided = await decide(held, { bytes: length, cachesForHour: request.cachesForHour });
  if (!decided.ok) throw new RequestRefused(decided.refusal);
  return { kind: "asked", answer: await out.end(request.rest(decided.value)) };
}

/** What is on its way to the upstream: held while it is short, then sent as it comes. */
class Outgoing {
  readonly #sending: Sending;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #stream: { writer: WritableStreamDefaultWriter<Uint8Array>; answer: Promise<Result<Response>>; room: number } | null =
    null;

  constructor(sending: Sending) {
    this.#sending = sending;
  }

  add(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** Sends what has been added, once it is long. @returns an answer that came though the request has not ended; else null. */
  async passOn(): Promise<Result<Response> | null> {
    if (this.#stream === null && this.#length <= WHOLE_BYTES) return null;
    const { writer, answer } = this.#open();
    const pieces = this.#pieces.splice(0);
    for (const piece of pieces) {
      const written = writer.write(piece).then(
        () => null,
        // An upstream that does not read on has answered, or is gone.
        () => answer,
      );
      const early = await Promise.race([written, answer]);
      if (early !== null) return early;
    }
    return null;
  }

  /** @param rest of the request, without its closing brace. @returns the answer. */
  async end(rest: string): Promise<Result<Response>> {
    const encoder = new TextEncoder();
    if (this.#stream === null) {
      this.add(encoder.encode(`${rest}}`));
      return this.#sending.ask(joined(this.#pieces));
    }
    const { writer, answer, room } = this.#stream;
    const bytes = encoder.encode(rest);
    const blanks = room === 0 ? 0 : room - this.#length - bytes.length - 1;
    if (blanks < 0) throw new RequestRefused(grown());
    const written = writer.write(joined([bytes, encoder.encode(`${" ".repeat(blanks)}}`)])).then(() => writer.close());
    await Promise.race([written.catch(() => {}), answer]);
    return answer;
  }

  /** Breaks the request off, so that the upstream does not take it for a whole one. */
  async abort(error: unknown): Promise<void> {
    await this.#stream?.writer.abort(error).catch(() => {});
  }

  #open() {
    const { length, ask } = this.#sending;
    if (this.#stream !== null) return this.#stream;
    const room = length === null ? 0 : length + ROOM_BYTES;
    const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(room);
    this.#stream = { writer: writable.getWriter(), answer: ask(readable), room };
    return this.#stream;
  }
}

export function tooLarge(limitBytes: number): Refusal {
  return { code: "body_too_large", limit_bytes: limitBytes, field: "body" };
}

function grown(): Refusal {
  return { code: "invalid_request", field: "body", message: "body: its short fields grow too much when written anew" };
}

async function untimely(answer: Response): Promise<Refusal> {
  await answer.body?.cancel();
  return { code: "upstream_unreachable", reason: "the model's address answers before it has the whole request" };
}

/** Who is still sending reads an answer only when all has been sent. Never rejects. */
async function drain(reader: ReadableStreamDefaultReader<Uint8Array>, limitBytes: number): Promise<void> {
  try {
    for (let length = 0; length <= limitBytes; ) {
      const { done, value } = await reader.read();
      if (done) return;
      length += value.length;
    }
  } catch {
    // The sender has gone away, and needs no answer.
  }
}
