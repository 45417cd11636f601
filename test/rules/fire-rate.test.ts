/** The token bucket of a routine's fire token. */
import { describe, expect, it } from "vitest";
import { type Bucket, takeToken } from "#rules/token-bucket.ts";
import { chance } from "./support/random.ts";

const LIMIT = { perMinute: 600, burst: 200 };

describe("takeToken", () => {
  it("lets a burst in, and not one more", () => {
    let bucket: Bucket | null = null;
    for (let count = 0; count < LIMIT.burst; count += 1) {
      const taken = takeToken(bucket, LIMIT, 0);
      expect(taken.retryAfterS).toBeNull();
      bucket = taken.bucket;
    }
    expect(takeToken(bucket, LIMIT, 0).retryAfterS).toBe(1);
  });

  it.each<[string, Bucket | null, number, number | null]>([
    ["the first request of all passes", null, 5_000, null],
    ["an empty bucket has one again after 100 ms at 600 a minute", { tokens: 0, atMs: 0 }, 100, null],
    ["a moment earlier it has not", { tokens: 0, atMs: 0 }, 99, 1],
    ["a clock that steps back gives nothing", { tokens: 0.5, atMs: 10_000 }, 0, 1],
    ["a clock that steps back takes nothing", { tokens: 1, atMs: 10_000 }, 0, null],
  ])("%s", (_sentence, bucket, nowMs, retryAfterS) => {
    expect(takeToken(bucket, LIMIT, nowMs).retryAfterS).toBe(retryAfterS);
  });

  it("never holds more than a burst, however long nobody came", () => {
    const { bucket } = takeToken({ tokens: 3, atMs: 0 }, LIMIT, 86_400_000);
    expect(bucket.tokens).toBe(LIMIT.burst - 1);
  });

  it("a refused request costs nothing", () => {
    const refused = takeToken({ tokens: 0.25, atMs: 0 }, LIMIT, 0);
    expect(refused.bucket.tokens).toBe(0.25);
  });

  it.each([1, 7, 59, 60, 61, 600, 997, 100_000])("who waits as told is let in, at %i a minute", (perMinute) => {
    const random = chance(perMinute);
    for (let round = 0; round < 500; round += 1) {
      const atMs = random.below(1_000_000_000);
      const nowMs = atMs + random.below(2_000);
      const limit = { perMinute, burst: 1 + random.below(300) };
      const { bucket, retryAfterS } = takeToken({ tokens: random.below(1_000) / 1_000, atMs }, limit, nowMs);
      if (retryAfterS === null) continue;
      expect(retryAfterS).toBeGreaterThanOrEqual(1);
      expect(takeToken(bucket, limit, nowMs + retryAfterS * 1_000).retryAfterS).toBeNull();
    }
  });

  it("lets no more in over ten minutes than the burst and the rate allow", () => {
    const random = chance(10);
    let bucket: Bucket | null = null;
    let passed = 0;
    let nowMs = 0;
    while (nowMs < 600_000) {
      const taken = takeToken(bucket, LIMIT, nowMs);
      bucket = taken.bucket;
      if (taken.retryAfterS === null) passed += 1;
      nowMs += random.below(60);
    }
    expect(passed).toBeLessThanOrEqual(LIMIT.burst + 10 * LIMIT.perMinute);
    expect(passed).toBeGreaterThan(10 * LIMIT.perMinute);
  });
});
