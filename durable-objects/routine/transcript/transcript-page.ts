/** A page of a transcript for the HTTP interface. */

import { NoAnswer } from "#instance/in-time.ts";
import type { Page } from "#protocol/api.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { splitChunk } from "#rules/transcript-chunk.ts";
import { beyondEnd } from "#rules/transcript-cursor.ts";
import type { TranscriptLog } from "./transcript-log.ts";

/** A page ends early here: what crosses from the object to the worker is bounded. */
const PAGE_BYTES = 8_388_608;
const RETRY_AFTER_S = 2;
/** How often a page looks for what it begins with: its first part is there after one, unless the transcript changes meanwhile. */
const LOADS_AT_ONCE = 3;

/** Reads what lies in R2 as well; where R2 does not give it, it is to be asked again. */
export async function readEvents(
  log: TranscriptLog,
  sessionId: string,
  after: number,
  limit: number,
): Promise<Result<Page<TranscriptEvent>>> {
  // What is loaded may have been deleted, or moved elsewhere, when it is there.
  for (let tries = 0; tries < LOADS_AT_ONCE; tries += 1) {
    const missing = log.missing(sessionId, after);
    if (missing === null) break;
    try {
      await log.load(missing);
    } catch (error) {
      logTrouble("transcript_not_read", { session_id: sessionId, key: missing }, error);
      return askedAgain(error instanceof NoAnswer ? "no_answer" : "unavailable");
    }
  }
  return pageOf(log, sessionId, after, limit);
}

function pageOf(log: TranscriptLog, sessionId: string, after: number, limit: number): Result<Page<TranscriptEvent>> {
  const end = log.end(sessionId);
  if (end === null) return refuse("not_found");
  if (after > end.lastSeq) return { ok: false, refusal: beyondEnd("after", after, end.lastSeq) };
  const bounds = { maxSeq: after + limit, maxEndBytes: log.bytesUpTo(sessionId, after) + PAGE_BYTES };
  const events = log
    .read(sessionId, after, bounds)
    .flatMap(splitChunk)
    .filter(({ seq }) => seq > after && seq <= bounds.maxSeq);
  const lastSeq = events.at(-1)?.seq;
  // An empty page would say that the transcript ends here.
  if (events.length === 0 && after < end.lastSeq) return askedAgain("unavailable");
  return success({
    data: events.map(({ body }) => JSON.parse(body)),
    next_cursor: lastSeq === undefined || lastSeq >= end.lastSeq ? null : String(lastSeq),
  });
}

function askedAgain(code: "no_answer" | "unavailable"): Result<never> {
  return { ok: false, refusal: { code, retry_after_s: RETRY_AFTER_S } };
}
