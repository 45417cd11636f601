/** Path and query parameters that several endpoints share. */
import { z } from "zod";
import { EVENTS_PAGE_LIMIT, PAGE_LIMIT, type PageRequest } from "#protocol/api.ts";
import { atMost } from "#protocol/characters.ts";
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

/** Several of a known list in a query: `failed,timed_out`. */
export function severalOf<const Known extends readonly string[]>(known: Known) {
  const split = (given: unknown) => (typeof given === "string" ? given.split(",").map((one) => one.trim()) : given);
  const one = z.enum(known, `must be one of ${known.join(", ")}`);
  return z
    .preprocess(split, z.array(one).min(1).max(known.length))
    .meta({ description: "One, or several with commas between." });
}

/** What is looked for in the texts of a list. */
export const searchText = z.string().trim().min(1).check(atMost(200));
export const tagFilter = z
  .string()
  .regex(/^[a-zA-Z0-9_.-]{1,64}(?::.{0,256})?$/s, 'must be a tag, or a tag and its value: "team" or "team:docs"')
  .meta({ description: 'The name of a tag, or its name and value: "team:docs".' });
/** A moment in a query. @returns Unix milliseconds. */
export const momentField = z.iso
  .datetime({ offset: true, error: 'must be a time as RFC 3339 has it, for example "2026-11-21T09:00:00Z"' })
  .transform((text) => Date.parse(text));

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
