/** Several events of a transcript share one row, as JSON with a line for each. Pure. */
import { byteLength } from "#protocol/transcript.ts";

/**
 * A row is closed when it is this long, in UTF-16 units: with the longest event behind it, it has a MiB at most, where an
 * object's rows may have two MB. It is longer than what a transaction mostly holds, which is 128 events.
 */
const CHUNK_LENGTH = 262_144;

export interface Chunk {
  firstSeq: number;
  lastSeq: number;
  /** Length of the session's events up to the end of the last one, in bytes. */
  endBytes: number;
  /** The events as JSON, a line each: JSON has no line break of its own. */
  body: string;
}

export interface StoredEvent {
  seq: number;
  /** Length of the session's events up to the end of this one, in bytes. */
  endBytes: number;
  /** The event as JSON. */
  body: string;
}

/** Divides lines, in their order, into parts that fit into a row. */
export function chunkLines(lines: readonly string[]): string[][] {
  const parts: string[][] = [];
  let length = 0;
  for (const line of lines) {
    const last = parts.at(-1);
    if (last === undefined || length >= CHUNK_LENGTH) {
      parts.push([line]);
      length = 0;
    } else last.push(line);
    length += line.length;
  }
  return parts;
}

/** The events of a chunk, one by one. */
export function splitChunk(chunk: Chunk): StoredEvent[] {
  const lines = chunk.body.split("\n");
  const lengths = lines.map(byteLength);
  let endBytes = chunk.endBytes - lengths.reduce((sum, length) => sum + length, 0);
  return lines.map((body, index) => {
    endBytes += lengths[index] ?? 0;
    return { seq: chunk.firstSeq + index, endBytes, body };
  });
}
