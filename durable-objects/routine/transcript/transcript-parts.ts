/** Parts of transcripts that lie in R2, as they are read: the last few are kept in memory, so that pages of one part are one call. */
import { withinDeadline } from "#instance/in-time.ts";

/** A part is half a megabyte of text. */
const PARTS_KEPT = 4;
const READ_DEADLINE_MS = 10_000;

/** R2 does not have what a row says that it has. */
export class PartMissing extends Error {}

export class TranscriptParts {
  readonly #bucket: Pick<R2Bucket, "get">;
  /** By key, the one used last at the end. */
  readonly #kept = new Map<string, string>();
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(bucket: Pick<R2Bucket, "get">) {
    this.#bucket = bucket;
  }

  /** The events, a line each; null while the part has not been loaded. */
  cached(key: string): string | null {
    const text = this.#kept.get(key);
    if (text === undefined) return null;
    this.#kept.delete(key);
    this.#kept.set(key, text);
    return text;
  }

  /** Makes the part there for `cached`. Who asks for one that is being read waits for that. @throws Error where it can't be read. */
  load(key: string): Promise<void> {
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    const reading = this.#read(key).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, reading);
    return reading;
  }

  async #read(key: string): Promise<void> {
    if (this.#kept.has(key)) return;
    const text = await withinDeadline(readPart(this.#bucket, key), READ_DEADLINE_MS, "the bucket of transcripts");
    if (text === null) throw new PartMissing(`the bucket does not have ${key}`);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < PARTS_KEPT) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(key, text);
  }
}

/** @returns the events, a line each; null where there is no such part. */
export async function readPart(bucket: Pick<R2Bucket, "get">, key: string): Promise<string | null> {
  const found = await bucket.get(key);
  if (found === null) return null;
  const packed = await found.arrayBuffer();
  return await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

/** As a part lies in R2. */
export async function packPart(text: string): Promise<ArrayBuffer> {
  return await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
}

/** Where transcripts lie in R2: of a routine, or of one session. */
export function transcriptFolder(routineId: string, sessionId = ""): string {
  return `transcripts/${routineId}/${sessionId === "" ? "" : `${sessionId}/`}`;
}

/** Of the events from this number to that one. The same events have the same key: written twice, they lie there once. */
export function partKey(routineId: string, sessionId: string, first: number, last: number): string {
  return `${transcriptFolder(routineId, sessionId)}${first}-${last}.jsonl.gz`;
}

/** Whose part lies under a key, and the number of its last event; null where it is no part's. */
export function partAt(key: string): { sessionId: string; last: number } | null {
  const [, sessionId, last] = /^transcripts\/[^/]+\/([^/]+)\/\d+-(\d+)\.jsonl\.gz$/.exec(key) ?? [];
  return sessionId === undefined || last === undefined ? null : { sessionId, last: Number(last) };
}
