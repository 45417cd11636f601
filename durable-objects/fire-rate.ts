/** Rate limits as token buckets: of a routine's token, and of the instance. Pure. */

export interface Bucket {
  tokens: number;
  atMs: number;
}

export interface BucketLimit {
  perMinute: number;
  burst: number;
}

/** Takes as many tokens as there are, up to a count. @returns the bucket afterwards, and the whole seconds until there is one. */
export function takeTokens(
  bucket: Bucket | null,
  limit: BucketLimit,
  count: number,
  nowMs: number,
): { bucket: Bucket; taken: number; retryAfterS: number } {
  const perMs = limit.perMinute / 60_000;
  const before = bucket ?? { tokens: limit.burst, atMs: nowMs };
  const tokens = Math.min(limit.burst, before.tokens + Math.max(0, nowMs - before.atMs) * perMs);
  const taken = Math.min(count, Math.floor(tokens));
  const retryAfterS = Math.max(1, Math.ceil((1 - tokens) / perMs / 1_000));
  return { bucket: { tokens: tokens - taken, atMs: nowMs }, taken, retryAfterS };
}

/** @returns the bucket after one request, and the whole seconds to wait when the request is refused. */
export function takeToken(
  bucket: Bucket | null,
  limit: BucketLimit,
  nowMs: number,
): { bucket: Bucket; retryAfterS: number | null } {
  const { bucket: after, taken, retryAfterS } = takeTokens(bucket, limit, 1, nowMs);
  return { bucket: after, retryAfterS: taken === 1 ? null : retryAfterS };
}
