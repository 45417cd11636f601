/** The rate limit of a routine's token, as a token bucket. Pure. */

export interface Bucket {
  tokens: number;
  atMs: number;
}

export interface BucketLimit {
  perMinute: number;
  burst: number;
}

/** @returns the bucket after one request, and the whole seconds to wait when the request is refused. */
export function takeToken(
  bucket: Bucket | null,
  limit: BucketLimit,
  nowMs: number,
): { bucket: Bucket; retryAfterS: number | null } {
  const perMs = limit.perMinute / 60_000;
  const before = bucket ?? { tokens: limit.burst, atMs: nowMs };
  const tokens = Math.min(limit.burst, before.tokens + Math.max(0, nowMs - before.atMs) * perMs);
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, atMs: nowMs }, retryAfterS: null };
  return { bucket: { tokens, atMs: nowMs }, retryAfterS: Math.max(1, Math.ceil((1 - tokens) / perMs / 1_000)) };
}
