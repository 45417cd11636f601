/** Deliveries that are too long to be held: checked while they come in, kept only when they were signed, read as they come out. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Delivery } from "#protocol/delivery.ts";
import type { Json } from "#protocol/schema.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { GITHUB_SECRET, pullRequest, someRepository } from "#test/support/deliver.ts";
import { printExact } from "#worker/http/exact-json.ts";
import { readLong } from "#worker/inbound/read-long.ts";
import { isSigned } from "#worker/inbound/sources/hmac.ts";
import { StreamedHmac } from "#worker/inbound/sources/streamed-hmac.ts";
import worker from "#worker/index.ts";

const encoder = new TextEncoder();
/** Just longer than what is read as a whole, and than what is held while it is checked. */
const LONG = 6_400_000;
const STREAMED = 540_000;

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(encoder.encode(text));
}

async function hmacOf(secret: string, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), hmac, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, body)).toHex();
}

/** A body in pieces that are made when they are asked for, at most one ahead. */
function inPieces(bytes: Uint8Array, size = 65_536): { body: ReadableStream<Uint8Array>; made: () => number } {
  let made = 0;
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (made >= bytes.length) return controller.close();
    controller.enqueue(bytes.slice(made, made + size));
    made = Math.min(made + size, bytes.length);
  };
  return { body: new ReadableStream({ pull }, { highWaterMark: 0 }), made: () => made };
}

async function deliver(body: BodyInit, length: number, signature: string, headers: Record<string, string> = {}) {
  const context = createExecutionContext();
  const request = new Request("http://reveille.test/webhooks/github", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "content-length": String(length),
      "x-hub-signature-256": `sha256=${signature}`,
      ...headers,
    },
    body,
  });
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], env, context);
  await waitOnExecutionContext(context);
  const answer: { delivery_id?: string } = await response.json();
  return { status: response.status, id: answer.delivery_id ?? "" };
}

async function keptBodies(): Promise<string[]> {
  return (await env.BODIES.list()).objects.map(({ key }) => key);
}

async function handled(id: string): Promise<Delivery> {
  return vi.waitFor(async () => {
    const { body } = await call<Page<Delivery>>("GET", "/api/v1/deliveries?limit=50");
    const found = body.data.find((delivery) => delivery.id === id) ?? expect.unreachable();
    expect(found.status).not.toBe("stored");
    return found;
  }, 10_000);
}

describe("a long delivery", () => {
  it("starts its run, and the same body again is the same event", { timeout: 30_000 }, async () => {
    const repository = someRepository();
    const filters = [{ field: "base_branch", operator: "equals", value: "main" }];
    const triggers = [{ type: "github", event: "pull_request", actions: ["opened"], filters }];
    await buildRoutine({ repositories: [{ url: repository.html_url }], triggers });
    const padding = Array.from({ length: 2_000 }, () => "ü".repeat(LONG / 4_000));
    const body = bytesOf(JSON.stringify({ padding, ...pullRequest(repository) }));
    const signature = await hmacOf(GITHUB_SECRET, body);
    const seen: Delivery[] = [];
    for (const provider of ["one", "two"]) {
      const named = { "x-github-event": "pull_request", "x-github-delivery": `${provider}-${crypto.randomUUID()}` };
      const { status, id } = await deliver(inPieces(body, 1_000_000).body, body.length, signature, named);
      expect(status).toBe(202);
      expect(await env.BODIES.head(`deliveries/${id}`)).toMatchObject({ size: body.length });
      seen.push(await handled(id));
    }
    expect(seen.map(({ size_bytes }) => size_bytes)).toEqual([body.length, body.length]);
    expect(seen.map(({ status }) => status)).toEqual(["handled", "duplicate"]);
    expect(seen[0]).toMatchObject({ note: expect.stringContaining("very large"), outcomes: [{ outcome: "started" }] });
  });

  it.each<[string, (signature: string) => string, number, number]>([
    ["is signed wrongly", () => "0".repeat(64), 0, 401],
    [
      "is signed for another body",
      (signature) => signature.replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
      0,
      401,
    ],
    ["is shorter than it says", (signature) => signature, 1, 400],
    ["is longer than it says", (signature) => signature, -1, 400],
  ])("that %s leaves nothing behind", async (_what, signed, more, status) => {
    const before = await keptBodies();
    const body = bytesOf(`{"padding":"${"é".repeat(STREAMED / 2)}"}`);
    const signature = signed(await hmacOf(GITHUB_SECRET, body));
    const { body: pieces } = inPieces(body);
    expect((await deliver(pieces, body.length + more, signature)).status).toBe(status);
    expect(await keptBodies()).toEqual(before);
  });

  it("that breaks off leaves nothing behind", async () => {
    const before = await keptBodies();
    let pieces = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      pieces += 1;
      if (pieces > 3) controller.error(new Error("the sender is gone"));
      else controller.enqueue(new Uint8Array(65_536));
    };
    const body = new ReadableStream({ pull }, { highWaterMark: 0 });
    expect((await deliver(body, STREAMED, "0".repeat(64))).status).toBeGreaterThanOrEqual(400);
    expect(await keptBodies()).toEqual(before);
  });
});

describe("the HMAC of what passes by", () => {
  it("is the platform's own, whatever the key and however it is cut", async () => {
    const keys = fc.oneof(fc.string({ minLength: 1, maxLength: 200 }), fc.constantFrom("x".repeat(64), "x".repeat(65)));
    await fc.assert(
      fc.asyncProperty(keys, fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), async (key, pieces) => {
        const hmac = await StreamedHmac.begin(key);
        for (const piece of pieces) await hmac.write(piece);
        const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
        expect(await isSigned(key, "sha256", whole, await hmac.end())).toBe(true);
      }),
    );
  });
});

describe("the payload of what is too long", () => {
  /** Less than is kept really: then less is enough to be too much. */
  const KEPT = 500_000;
  const read = (value: Json | string) => {
    const bytes = bytesOf(typeof value === "string" ? value : JSON.stringify(value));
    return readLong(async () => inPieces(bytes).body, KEPT);
  };
  const grid = (rows: number, columns: number, text: string) => Array(rows).fill(Array(columns).fill(text));

  it("is whole where its parts are short, with the hash of its bytes", async () => {
    const values = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }));
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        const text = JSON.stringify(value);
        const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytesOf(text))).toHex();
        expect(await read(text)).toEqual({ payload: JSON.parse(text), isLongAllOver: false, hash });
      }),
    );
  });

  it("keeps the digits of its numbers", async () => {
    const text = '{"id":7654321098765432101,"list":[1,9007199254740993],"twice":9007199254740993,"twice":"a text"}';
    const { payload } = (await read(text)) ?? expect.unreachable();
    const [id, listed] = ["7654321098765432101", "9007199254740993"];
    expect(payload).toEqual({ id, list: [1, listed], twice: "a text" });
    expect(printExact(payload, 0)).toBe(`{"id":${id},"list":[1,${listed}],"twice":"a text"}`);
  });

  it("is the beginnings of its parts where these are long", async () => {
    const many = Array.from({ length: 2_000 }, (_, number) => ({ number, text: "y".repeat(100) }));
    const long = await read({ before: 1, text: "€".repeat(70_000), many, after: { deep: [true, null] } });
    const { payload } = long ?? expect.unreachable();
    expect(payload).toMatchObject({ before: 1, text: "€".repeat(65_536), after: { deep: [true, null] } });
    expect(payload?.["many"]).toEqual(many.slice(0, 1_000));
  });

  it("keeps less of each part where there are many", async () => {
    const text = "z".repeat(400);
    const wide = await read({ wide: grid(110, 12, text), action: "opened" });
    expect(wide?.payload).toEqual({ wide: grid(100, 12, text), action: "opened" });
    const wider = await read({ wide: grid(30, 45, text), action: "opened" });
    expect(wider?.payload).toEqual({ wide: grid(20, 20, "z".repeat(256)), action: "opened" });
  });

  const members = Array.from({ length: 50 }, (_, key) => `"${key}":"${"w".repeat(250)}"`).join();
  it.each<[string, string, boolean]>([
    ["no JSON", '{"a":', false],
    ["no JSON behind what is too much", `{"a":${JSON.stringify(grid(30, 45, "z".repeat(400)))},}`, false],
    ["a list", "[1]", false],
    ["nested too deeply", `{"a":${"[".repeat(200)}${"]".repeat(200)}}`, false],
    ["long all over", `{${Array.from({ length: 50 }, (_, key) => `"${key}":{${members}}`).join()}}`, true],
  ])("that is %s is none", async (_what, text, isLongAllOver) => {
    expect(await read(text)).toMatchObject({ payload: null, isLongAllOver });
  });

  it("that is kept no more is none", async () => {
    expect(await readLong(async () => null)).toBeNull();
  });
});
