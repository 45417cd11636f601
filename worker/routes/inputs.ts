/** Path and query parameters that several endpoints share. */
import { z } from "zod";
import { EVENTS_PAGE_LIMIT, PAGE_LIMIT, type PageRequest } from "#protocol/api.ts";
import { routineIdSchema, runIdSchema, sessionIdSchema } from "#protocol/ids.ts";

export const routineParams = z.object({ id: routineIdSchema });
export const runParams = z.object({ id: runIdSchema });
export const sessionParams = z.object({ id: sessionIdSchema });

/** A whole number in a query: digits and nothing else. */
function toNumber(value: unknown): unknown {
  return typeof value === "string" && /^[0-9]{1,16}$/.test(value) ? Number(value) : value;
}

/** A whole number in a query, or what counts where none is given. */
export function wholeNumber(minimum: number, maximum: number, fallback: number) {
  const message = `must be a whole number from ${minimum} to ${maximum}`;
  return z.preprocess(toNumber, z.int(message).min(minimum, message).max(maximum, message).default(fallback));
}

/** `limit` and `cursor` of a list. @param cursor the form of the ids that the list gives as cursors. */
export function pageQuery<Cursor extends z.ZodType<string>>(cursor: Cursor) {
  return z.object({ limit: wholeNumber(1, PAGE_LIMIT.max, PAGE_LIMIT.default), cursor: cursor.optional() });
}

export function toPageRequest(query: { limit: number; cursor?: string | undefined }): PageRequest {
  return { limit: query.limit, cursor: query.cursor ?? null };
}

/** After which `seq` to begin. */
export const afterField = wholeNumber(0, Number.MAX_SAFE_INTEGER, 0);
export const eventsQuery = z.object({
  after: afterField,
  limit: wholeNumber(1, EVENTS_PAGE_LIMIT.max, EVENTS_PAGE_LIMIT.default),
});
export const liveQuery = z.object({ after: afterField });
