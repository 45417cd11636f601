/** A page of a transcript for the HTTP interface. */
import type { Page } from "#protocol/api.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { splitChunk } from "#rules/transcript-chunk.ts";
import { beyondEnd } from "#rules/transcript-cursor.ts";
import type { TranscriptLog } from "./transcript-log.ts";

/** A page ends early here: what crosses from the object to the worker is bounded. */
const PAGE_BYTES = 8_388_608;

export function readEvents(
  log: TranscriptLog,
  sessionId: string,
  after: number,
  limit: number,
): Result<Page<TranscriptEvent>> {
  const end = log.end(sessionId);
  if (end === null) return refuse("not_found");
  if (after > end.lastSeq) return { ok: false, refusal: beyondEnd("after", after, end.lastSeq) };
  const bounds = { maxSeq: after + limit, maxEndBytes: log.bytesUpTo(sessionId, after) + PAGE_BYTES };
  const events = log
    .read(sessionId, after, bounds)
    .flatMap(splitChunk)
    .filter(({ seq }) => seq > after && seq <= bounds.maxSeq);
  const lastSeq = events.at(-1)?.seq;
  return success({
    data: events.map(({ body }) => JSON.parse(body)),
    next_cursor: lastSeq === undefined || lastSeq >= end.lastSeq ? null : String(lastSeq),
  });
}
