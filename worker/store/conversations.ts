/** Conversations and workspaces as they are read from R2 and from a routine's object. */
import type { Part } from "#durable-objects/routine/conversations/stored-conversation.ts";
import { streamToBucket } from "./stream-to-bucket.ts";

export interface Workspaces {
  /** @returns null where there is no such object. */
  open(key: string): Promise<ReadableStream<Uint8Array> | null>;
  remove(key: string): Promise<void>;
  /** Of so many bytes. @throws when it is not kept. */
  keep(key: string, content: ReadableStream<Uint8Array>, about: { bytes: number; sha256: string }): Promise<void>;
}

export function workspaces(bucket: R2Bucket): Workspaces {
  return {
    open: async (key) => (await bucket.get(key))?.body ?? null,
    remove: (key) => bucket.delete(key),
    keep: (key, content, about) => streamToBucket(bucket, key, content, about),
  };
}

/**
 * One file of a conversation, part after part, as whoever reads it takes it.
 * @param read the parts after this one; none at the end, and null where there is no such file.
 * @param open what lies in R2. @returns null where there is no such file.
 */
export async function conversationText(
  read: (after: number) => Promise<Part[] | null>,
  open: (key: string) => Promise<ReadableStream<Uint8Array> | null>,
): Promise<ReadableStream<Uint8Array> | null> {
  const first = await read(0);
  if (first === null) return null;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const write = async () => {
    for (
      let parts: Part[] | null = first;
      parts !== null && parts.length > 0;
      parts = await read(parts.at(-1)?.n ?? 0)
    ) {
      for (const { body, key } of parts) await writePart(writable, body, key, open);
    }
    await writable.close();
  };
  // Whoever reads sees it break off.
  write().catch((error: unknown) => writable.abort(error).catch(() => {}));
  return readable;
}

async function writePart(
  writable: WritableStream<Uint8Array>,
  body: string | null,
  key: string | null,
  open: (key: string) => Promise<ReadableStream<Uint8Array> | null>,
): Promise<void> {
  if (key === null) {
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode(body ?? ""));
    writer.releaseLock();
    return;
  }
  const packed = await open(key);
  if (packed === null) throw new Error("a part of the conversation is not in the bucket");
  await packed.pipeThrough(new DecompressionStream("gzip")).pipeTo(writable, { preventClose: true });
}
