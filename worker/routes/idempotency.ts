/** The key against repeats, as callers send it. */
import { characterCount, composed } from "#protocol/characters.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { IDEMPOTENCY_KEY_LIMIT } from "#protocol/occurrence.ts";
import type { HttpContext } from "../http/http-env.ts";

const NAME = "Idempotency-Key";

/** @param what is the same where the key is, in words. */
export function idempotencyHeader(what: string) {
  return {
    name: NAME,
    description: `1 to ${IDEMPOTENCY_KEY_LIMIT} characters: the same key within 24 hours is the same ${what}.`,
  };
}

/** @returns null where none was sent; the refusal names the header. */
export function readIdempotencyKey(c: HttpContext): Result<string | null> {
  const key = c.req.header(NAME);
  if (key === undefined) return success(null);
  if (key.length > 0 && characterCount(key) <= IDEMPOTENCY_KEY_LIMIT) return success(composed(key));
  const message = `must be 1 to ${IDEMPOTENCY_KEY_LIMIT} characters`;
  return refuse("invalid_request", { message: `${NAME}: ${message}`, field: NAME, issues: [{ field: NAME, message }] });
}
