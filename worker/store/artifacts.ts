/** Files that runs have shown, as they lie in R2. What is too old, or whose routine is gone, their routine's object removes. */

export interface ArtifactBytes {
  put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  remove(key: string): Promise<void>;
  /** @returns null where there is no such object. */
  open(key: string): Promise<{ bytes: number; content: ReadableStream<Uint8Array> } | null>;
}

export function artifactBytes(bucket: R2Bucket): ArtifactBytes {
  return {
    put: async (key, bytes) => void (await bucket.put(key, bytes)),
    remove: (key) => bucket.delete(key),
    open: async (key) => {
      const found = await bucket.get(key);
      return found === null ? null : { bytes: found.size, content: found.body };
    },
  };
}
