/** Bodies of deliveries: as text in the delivery's row where they fit, else in R2. */
import { CallFailed } from "#instance/calls.ts";
import { type IncomingBody, intoBucket } from "./stream-to-bucket.ts";

export interface Bodies {
  /** @returns the text for the row; null when the body lies in R2. */
  keep(id: string, body: Uint8Array): Promise<string | null>;
  /** Keeps a body in R2 while it comes. @param length of the whole. */
  begin(id: string, length: number): IncomingBody;
  /** Reads a body out of R2. @returns null when it is kept no more. */
  open(id: string): Promise<ReadableStream<Uint8Array> | null>;
  /** @param text from the row. @returns null when the body is kept no more. */
  bytesOf(id: string, text: string | null): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Forgets the oldest of the bodies up to an id, also those whose rows were never written. @returns whether there may be more. */
  purge(upToId: string): Promise<boolean>;
}

/** Larger bodies go to R2: a row of D1 holds 2 MB at most. */
export const ROW_BODY_BYTES = 524_288;
const PURGE_AT_ONCE = 500;
const FOLDER = "deliveries/";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function bodies(bucket: R2Bucket): Bodies {
  return {
    keep: async (id, body) => {
      const text = body.length <= ROW_BODY_BYTES ? readable(body) : null;
      if (text === null) await bucket.put(`${FOLDER}${id}`, body);
      return text;
    },
    begin: (id, length) =>
      intoBucket(length, (content) =>
        bucket.put(`${FOLDER}${id}`, content).catch((error: unknown) => {
          throw new CallFailed("unavailable", "the bucket", error);
        }),
      ),
    open: async (id) => (await bucket.get(`${FOLDER}${id}`))?.body ?? null,
    bytesOf: async (id, text) => {
      if (text !== null) return new Uint8Array(encoder.encode(text));
      const stored = await bucket.get(`${FOLDER}${id}`);
      return stored === null ? null : new Uint8Array(await stored.arrayBuffer());
    },
    purge: async (upToId) => {
      // Keys sort as ids do, by time.
      const { objects } = await bucket.list({ prefix: FOLDER, limit: PURGE_AT_ONCE });
      const old = objects.map(({ key }) => key).filter((key) => key <= `${FOLDER}${upToId}`);
      if (old.length > 0) await bucket.delete(old);
      return old.length === PURGE_AT_ONCE;
    },
  };
}

/** @returns null for bytes that are no UTF-8: as text they would come back as others. */
function readable(body: Uint8Array): string | null {
  try {
    const text = decoder.decode(body);
    // What SQLite takes for the end of a text is none.
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}
