/** What setup scripts have made, in R2: kept by the runners of containers, of which nothing is left after their runs. */
import { SETUP_KEPT_MS } from "#protocol/setup-archive.ts";
import { streamToBucket } from "./stream-to-bucket.ts";

export interface SetupArchive {
  bytes: number;
  sha256: string;
  /** Unix milliseconds. */
  keptAtMs: number;
  content: ReadableStream<Uint8Array>;
}

export interface SetupArchives {
  /** @param place whose runs use it. @returns null where there is none that is young enough. */
  open(place: string, key: string, nowMs: number): Promise<SetupArchive | null>;
  /** In the place of what is there, once all of it has come. @param content of so many bytes. @throws when it is not kept. */
  keep(
    place: string,
    key: string,
    content: ReadableStream<Uint8Array>,
    about: { bytes: number; sha256: string; nowMs: number },
  ): Promise<void>;
  /** Forgets those that are too old, a part of them at a time. @returns whether there may be more. */
  purge(nowMs: number): Promise<boolean>;
}

const FOLDER = "setups/";
const PURGE_AT_ONCE = 500;

export function setupArchives(bucket: R2Bucket): SetupArchives {
  const isOld = (object: R2Object, nowMs: number) => keptAt(object) < nowMs - SETUP_KEPT_MS;
  let after: string | undefined;
  return {
    open: async (place, key, nowMs) => {
      const found = await bucket.get(`${FOLDER}${place}/${key}`);
      if (found === null || isOld(found, nowMs)) {
        await found?.body.cancel();
        return null;
      }
      const { size: bytes, customMetadata, body: content } = found;
      return { bytes, sha256: customMetadata?.["sha256"] ?? "", keptAtMs: keptAt(found), content };
    },
    keep: async (place, key, content, { bytes, sha256, nowMs }) => {
      await streamToBucket(bucket, `${FOLDER}${place}/${key}`, content, {
        bytes,
        sha256,
        customMetadata: { sha256, kept_at_ms: String(nowMs) },
      });
    },
    purge: async (nowMs) => {
      const { objects, ...page } = await bucket.list({
        prefix: FOLDER,
        limit: PURGE_AT_ONCE,
        include: ["customMetadata"],
        ...(after === undefined ? {} : { cursor: after }),
      });
      const old = objects.filter((object) => isOld(object, nowMs)).map(({ key }) => key);
      if (old.length > 0) await bucket.delete(old);
      after = page.truncated ? page.cursor : undefined;
      return page.truncated;
    },
  };
}

/** By the worker's clock, as its age is judged. Unix milliseconds; one that does not say it is as old as can be. */
function keptAt({ customMetadata }: R2Object): number {
  return Number(customMetadata?.["kept_at_ms"] ?? 0);
}
