/** A page of a transcript for the HTTP interface. */
import type { Page } from "#protocol/api.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { splitChunk } from "#rules/transcript-chunk.ts";
import type { TranscriptLog } from "./transcript-log.ts";

/** A page ends early here: what crosses from the object to the worker is bounded. */
const PAGE_BYTES = 8_388_608;

/** @returns null when there is no such session. */
export function readEvents(
  log: TranscriptLog,
  sessionId: string,
  after: number,
  limit: number,
): Page<TranscriptEvent> | null {
  const end = log.end(sessionId);
  if (end === null) return null;
  const bounds = { maxSeq: after + limit, maxEndBytes: log.bytesUpTo(sessionId, after) + PAGE_BYTES };
  const events = log
    .read(sessionId, after, bounds)
    .flatMap(splitChunk)
    .filter(({ seq }) => seq > after && seq <= bounds.maxSeq);
  const lastSeq = events.at(-1)?.seq;
  return {
    data: events.map(({ body }) => JSON.parse(body)),
    next_cursor: lastSeq === undefined || lastSeq >= end.lastSeq ? null : String(lastSeq),
  };
}
