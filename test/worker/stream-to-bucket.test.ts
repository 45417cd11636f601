/** What streams into R2 has as long as it needs, while it goes on; a bucket or a sender that stops is left. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { NoAnswer } from "#instance/in-time.ts";
import { givenUp } from "#test/support/given-up.ts";
import { BodyTooSlow, paced } from "#worker/http/body-pace.ts";
import { askedBucket } from "#worker/parties/bucket.ts";
import { bodies } from "#worker/store/bodies.ts";
import { streamToBucket } from "#worker/store/stream-to-bucket.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 0 }));
afterEach(() => void vi.useRealTimers());

const PIECE = new Uint8Array(64_000).fill(7);
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const never = () => new Promise<never>(() => undefined);

/** So many pieces, each of which comes so long after it was asked for. */
function sender(pieces: number, eachMs: number, atEnd: () => Promise<void> = async () => {}) {
  let given = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        if (given === pieces) {
          await atEnd();
          controller.close();
          return;
        }
        given += 1;
        await pass(eachMs);
        controller.enqueue(PIECE);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Takes pieces as slowly as it does, and after so many none. */
function slowBucket(eachMs: number, most = Number.POSITIVE_INFINITY) {
  let bytes = 0;
  const put = async (_key: string, content: ReadableStream<Uint8Array>) => {
    if (most === 0) await never();
    let taken = 0;
    for await (const piece of content) {
      bytes += piece.length;
      taken += 1;
      if (taken === most) await never();
      await pass(eachMs);
    }
    return null;
  };
  return { bucket: askedBucket({ put } as unknown as R2Bucket), taken: () => bytes };
}

const about = (pieces: number) => ({ bytes: pieces * PIECE.length, sha256: "0".repeat(64) });

it("is kept, however long an honest sender takes", async () => {
  const { bucket, taken } = slowBucket(0);
  await streamToBucket(bucket, "k", paced(sender(100, 4_000)), about(100));
  expect([taken(), Date.now()]).toEqual([6_400_000, 400_000]);
});

it("is kept, however long an honest bucket takes", async () => {
  // It reads a part of a piece at a time.
  const { bucket, taken } = slowBucket(1_500);
  await streamToBucket(bucket, "k", paced(sender(100, 0)), about(100));
  expect(taken()).toBe(100 * PIECE.length);
  expect(Date.now()).toBeGreaterThanOrEqual(150_000);
});

it("ends where its sender stops, or sends less than was told", async () => {
  const { bucket } = slowBucket(0);
  expect(await givenUp(streamToBucket(bucket, "k", paced(sender(3, 0, never)), about(4)))).toBeInstanceOf(BodyTooSlow);
  await expect(streamToBucket(bucket, "k", paced(sender(3, 0)), about(4))).rejects.toThrow();
});

it.each([
  ["takes nothing", 0],
  ["stops on the way", 2],
  ["does not say that it has it", 4],
])("ends where the bucket %s, also for a delivery", async (_title, most) => {
  const sent = streamToBucket(slowBucket(0, most).bucket, "k", paced(sender(4, 0)), about(4));
  expect(await givenUp(sent)).toBeInstanceOf(NoAnswer);
  const into = bodies(slowBucket(0, most).bucket).begin("dlv_1", 4 * PIECE.length);
  const written = async () => {
    for (let piece = 0; piece < 3; piece += 1) await into.write(PIECE);
    await into.end(PIECE);
  };
  expect(await givenUp(written())).toBeInstanceOf(NoAnswer);
});

it("is kept in the bucket that there is, whole", async () => {
  vi.useRealTimers();
  const content = new Uint8Array(300_000).fill(5);
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();
  const bucket = askedBucket(env.BODIES);
  const body = () => new Response(content).body ?? expect.unreachable();
  await streamToBucket(bucket, "streamed", body(), { bytes: content.length, sha256 });
  expect(new Uint8Array((await (await env.BODIES.get("streamed"))?.arrayBuffer()) ?? [])).toEqual(content);
  await expect(
    streamToBucket(bucket, "other", body(), { bytes: content.length, sha256: "0".repeat(64) }),
  ).rejects.toThrow();
  expect(await env.BODIES.get("other")).toBeNull();
});
