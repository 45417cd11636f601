/** Puts into R2 what comes piece by piece. */
import { CallFailed } from "#instance/calls.ts";
import { withinDeadline } from "#instance/in-time.ts";
import { r2Failure } from "#rules/calls/retryable.ts";

/** What is coming in: it is there when it has ended, and not before. */
export interface IncomingBody {
  /** Resolves when the next piece may come. @throws when it can't be kept. */
  write(piece: Uint8Array): Promise<void>;
  /** Resolves when the body can't be lost any more. @throws when it can't be kept. */
  end(last: Uint8Array): Promise<void>;
  /** Nothing is kept. Never rejects. */
  abort(): Promise<void>;
}

/**
 * For how long the bucket may take nothing of what has come, in milliseconds. Together with the pace at which a sender has to
 * send that bounds the whole by its length, and cuts off nobody for the length alone.
 */
const TAKES_WITHIN_MS = 30_000;
const PARTY = "the bucket";

/**
 * @param put puts a stream into the bucket, with no deadline of its own. @param bytes how long the whole is: the bucket wants to
 * know it, and counts. What is written has to be told `end`, or `abort`.
 */
export function intoBucket(bytes: number, put: (content: ReadableStream) => Promise<unknown>): IncomingBody {
  const { readable, writable } = new FixedLengthStream(bytes);
  const writer = writable.getWriter();
  const kept = put(readable);
  // Whoever writes hears of it.
  kept.catch(() => {});
  // A bucket that has failed takes nothing more, and would be waited for without end; so would one that hangs.
  const taken = async (work: Promise<unknown>) => {
    work.catch(() => {});
    await withinDeadline(Promise.race([work, kept]), TAKES_WITHIN_MS, PARTY);
  };
  return {
    write: (piece) => (piece.length === 0 ? Promise.resolve() : taken(writer.write(piece))),
    end: async (last) => {
      await taken((last.length === 0 ? Promise.resolve() : writer.write(last)).then(() => writer.close()));
      await taken(kept);
    },
    abort: async () => {
      await taken(writer.abort(new Error("the body is not kept"))).catch(() => {});
      await taken(kept).catch(() => {});
    },
  };
}

/** @param about how long it is, and what it must hash to. @throws when not all of it has come, or it is another. */
export async function streamToBucket(
  bucket: Pick<R2Bucket, "put">,
  key: string,
  content: ReadableStream<Uint8Array>,
  about: { bytes: number; sha256: string; customMetadata?: Record<string, string> },
): Promise<void> {
  const { bytes, ...options } = about;
  const into = intoBucket(bytes, (stream) =>
    bucket.put(key, stream, options).catch((error: unknown) => {
      throw r2Failure(error) === "final" ? error : new CallFailed("unavailable", PARTY, error);
    }),
  );
  try {
    for await (const piece of content) await into.write(piece);
    await into.end(new Uint8Array());
  } catch (error) {
    await into.abort();
    throw error;
  }
}
