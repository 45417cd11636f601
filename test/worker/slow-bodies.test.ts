/** Bodies that come too slowly are cut off, whichever door they come to, and by how much they brought: not by how long they are. */
import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { buildRoutine, call, OWNER_TOKEN } from "#test/support/api.ts";
import { BodyPace, BodyTooSlow, paced } from "#worker/http/body-pace.ts";
import { readBytes } from "#worker/http/read-bytes.ts";

afterEach(() => void vi.restoreAllMocks());

/** A clock that is set by who sends and who reads. */
function clock() {
  let ms = 0;
  const pass = (more: number) => {
    ms += more;
  };
  return { now: () => ms, pass };
}

/**
 * Pieces of so many bytes, each of which comes so long after it was asked for.
 * @param silentMs where it is given, one more byte comes after so long.
 */
function sender(
  { pieces, bytes, afterMs }: { pieces: number; bytes: number; afterMs: number },
  pass: (ms: number) => void,
  silentMs?: number,
) {
  let given = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const isLast = given === pieces && silentMs !== undefined;
        if (given >= pieces && !isLast) return controller.close();
        given += 1;
        pass(isLast ? silentMs : afterMs);
        controller.enqueue(new Uint8Array(isLast ? 1 : bytes));
      },
    },
    { highWaterMark: 0 },
  );
}

async function lengthOf(body: ReadableStream<Uint8Array>, afterPiece = () => {}): Promise<number> {
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    afterPiece();
  }
  return length;
}

/** Gives one byte, and never another. */
function stuck(onCancel: (reason: unknown) => void = () => {}) {
  let isFirst = true;
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (!isFirst) return new Promise<void>(() => undefined);
      isFirst = false;
      controller.enqueue(new Uint8Array(1));
      return undefined;
    },
    cancel: onCancel,
  });
}

describe("a body", () => {
  it("that brings a byte a second is cut off when its time is over", async () => {
    const { now, pass } = clock();
    const body = paced(sender({ pieces: 1_000, bytes: 1, afterMs: 1_000 }, pass), new BodyPace(30_000, now));
    await expect(lengthOf(body)).rejects.toThrow(BodyTooSlow);
    expect(now()).toBeLessThanOrEqual(32_000);
  });

  it("of any length comes through at 128 kbit/s, for as long as that takes", async () => {
    const { now, pass } = clock();
    const slow = { pieces: 1_000, bytes: 16_000, afterMs: 1_000 };
    expect(await lengthOf(paced(sender(slow, pass), new BodyPace(30_000, now)))).toBe(16_000_000);
    const slower = { ...slow, afterMs: 1_100 };
    await expect(lengthOf(paced(sender(slower, pass), new BodyPace(30_000, now)))).rejects.toThrow(BodyTooSlow);
  });

  it("is not what is slow where its reader is", async () => {
    const { now, pass } = clock();
    const prompt = { pieces: 100, bytes: 10, afterMs: 0 };
    const length = await lengthOf(paced(sender(prompt, pass), new BodyPace(30_000, now)), () => pass(60_000));
    expect(length).toBe(1_000);
  });

  it.each([
    ["brought much in one go", 1, 16_000_000],
    ["brought much piece by piece", 1_000, 16_000],
  ])("that %s is waited for no longer than any other, once it is silent", async (_title, pieces, bytes) => {
    const { now, pass } = clock();
    const fast = sender({ pieces, bytes, afterMs: 0 }, pass, 31_000);
    await expect(lengthOf(paced(fast, new BodyPace(30_000, now)))).rejects.toThrow(BodyTooSlow);
    const pausing = sender({ pieces, bytes, afterMs: 0 }, pass, 29_000);
    expect(await lengthOf(paced(pausing, new BodyPace(30_000, now)))).toBe(pieces * bytes + 1);
  });

  it("whose length is told is no more waited for than another, however long it is said to be", async () => {
    const { now, pass } = clock();
    const headers = { "content-length": "10000001" };
    let taken: number[] = [];
    const take = (bytes: number) => {
      taken.push(bytes);
      return null;
    };
    const ask = async (body: ReadableStream<Uint8Array>) => {
      const request = new Request("https://r.test/", { method: "POST", body, headers });
      const read = await readBytes(request, 20_000_000, take, new BodyPace(30_000, now));
      return read.ok ? read.value.length : read.refusal.code;
    };
    expect(await ask(sender({ pieces: 1, bytes: 10_000_000, afterMs: 0 }, pass, 31_000))).toBe("body_too_slow");
    taken = [];
    expect(await ask(sender({ pieces: 100, bytes: 100_000, afterMs: 6_000 }, pass, 29_000))).toBe(10_000_001);
    // As it came, each time for as much again, and no more than was told.
    expect(taken.slice(0, 4)).toEqual([100_000, 100_000, 200_000, 400_000]);
    expect(taken.reduce((sum, bytes) => sum + bytes)).toBe(10_000_001);
  });

  it("that stops is left, and its sender is let go", async () => {
    const canceled = vi.fn();
    await expect(lengthOf(paced(stuck(canceled), new BodyPace(5)))).rejects.toThrow(BodyTooSlow);
    await vi.waitFor(() => expect(canceled).toHaveBeenCalledOnce());
  });

  it.each<[string, Record<string, string>]>([
    ["whose length is told", { "content-length": "20" }],
    ["whose length is not told", {}],
  ])("%s is refused by name when it stops", async (_, headers) => {
    const request = new Request("https://r.test/", { method: "POST", body: stuck(), headers });
    expect(await readBytes(request, 1_000, undefined, new BodyPace(5))).toEqual({
      ok: false,
      refusal: { code: "body_too_slow", field: "body" },
    });
  });
});

describe("each door", () => {
  it("says by name that a body came too slowly", async () => {
    const auth = { kind: "hmac", header: "x-signature" };
    const triggers = [{ type: "api" }, { type: "webhook", source: "generic", auth }];
    const routine = await buildRoutine({ triggers });
    const endpoint = routine.triggers.find(({ type }) => type === "webhook")?.id ?? "";
    await call("POST", `/api/v1/routines/${routine.id}/triggers/${endpoint}/secret`, {
      secret: "secret-of-a-slow-sender",
    });
    const owner = { authorization: `Bearer ${OWNER_TOKEN}`, "content-type": "application/json" };
    const signed = { "x-signature": "0".repeat(64), "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    const doors: [string, Record<string, string>][] = [
      ["/api/v1/routines", owner],
      ["/api/v1/events", owner],
      ["/api/v1/sign-in", { "content-type": "application/json" }],
      [`/v1/claude_code/routines/${routine.id}/fire`, { ...owner, authorization: `Bearer ${routine.token}` }],
      [`/webhooks/generic/${endpoint}`, { ...owner, ...signed }],
      ["/webhooks/github", { ...signed, "x-github-event": "push", "content-length": "3" }],
    ];
    vi.spyOn(BodyPace.prototype, "read").mockRejectedValue(new BodyTooSlow());
    vi.spyOn(BodyPace.prototype, "whole").mockRejectedValue(new BodyTooSlow());
    const answers = [];
    for (const [path, headers] of doors) {
      const request = new Request(`https://reveille.test${path}`, { method: "POST", body: stuck(), headers });
      const answer = await exports.default.fetch(request);
      const { error } = await answer.json<{ error: { details: { code: string } } }>();
      answers.push([path, answer.status, error.details.code]);
    }
    expect(answers).toEqual(doors.map(([path]) => [path, 400, "body_too_slow"]));
  });
});
