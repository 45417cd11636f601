/** Where a reader of a transcript may go on. Pure. */
import type { Refusal } from "#protocol/errors.ts";

/**
 * For a reader whose cursor no event has: it has been read elsewhere, or has been made up. It would wait for what comes, and
 * miss what is there.
 */
export function beyondEnd(field: string, after: number, lastSeq: number): Refusal {
  return {
    code: "invalid_request",
    field,
    message: `${field}: ${after} is beyond the transcript's end, which is ${lastSeq}`,
  };
}
