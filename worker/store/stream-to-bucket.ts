/** Puts what streams in into R2. */

/** @param about how long it is, and what it must hash to. @throws when not all of it has come, or it is another. */
export async function streamToBucket(
  bucket: R2Bucket,
  key: string,
  content: ReadableStream<Uint8Array>,
  about: { bytes: number; sha256: string; customMetadata?: Record<string, string> },
): Promise<void> {
  const { bytes, ...options } = about;
  // The bucket wants to know how long it is, and counts.
  const { readable, writable } = new FixedLengthStream(bytes);
  const kept = bucket.put(key, readable, options);
  // One that has failed takes nothing more, and would be waited for without end.
  const failed = new AbortController();
  kept.catch((error: unknown) => failed.abort(error));
  const [sent] = await Promise.allSettled([content.pipeTo(writable, { signal: failed.signal }), kept]);
  if (sent.status === "rejected") throw sent.reason;
  await kept;
}
