/** A page of a transcript for the HTTP interface. */
import type { Page } from "#protocol/api.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
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
  const startBytes = log.endBytes(sessionId, after);
  const rows = log.read(sessionId, after, { limit, maxEndBytes: startBytes + PAGE_BYTES, alwaysFirst: true });
  const lastSeq = rows.at(-1)?.seq;
  return {
    data: rows.map(({ body }) => JSON.parse(body)),
    next_cursor: lastSeq === undefined || lastSeq >= end.lastSeq ? null : String(lastSeq),
  };
}
