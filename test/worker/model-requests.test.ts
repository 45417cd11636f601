/** Requests to the model, as long as they may be: judged while they pass by, and never all in memory. */
import { describe, expect, it, vi } from "vitest";
import { runSchema } from "#protocol/run.ts";
import { MODEL, ProxyBed } from "./proxy-bed.ts";
import { errorOf, read } from "./support.ts";

const bed = ProxyBed.make();
const PATH = "/model/v1/messages";
const MIB = 1_048_576;
const JSON_TYPE = { "content-type": "application/json" };
const encoder = new TextEncoder();

const short = { messages: [{ role: "user", content: "hi" }] };
/** Longer than what is judged as a whole; no letter of it is ASCII. */
const long = { messages: [{ role: "user", content: "é€😀".repeat(80_000) }] };
const answered = () => Response.json({ usage: { input_tokens: 1, output_tokens: 1 } });

/** A body in pieces that are made when they are asked for. */
function inPieces(pieces: Iterable<string | Uint8Array>): { body: ReadableStream<Uint8Array>; made: () => number } {
  const left = pieces[Symbol.iterator]();
  let made = 0;
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const { done, value } = left.next();
    if (done) return controller.close();
    const bytes = typeof value === "string" ? encoder.encode(value) : value;
    made += bytes.length;
    controller.enqueue(bytes);
  };
  return { body: new ReadableStream({ pull }, { highWaterMark: 0 }), made: () => made };
}

function* cutUp(text: string, size = 60_000): Generator<Uint8Array> {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

function* messagesOf(mebibytes: number): Generator<string> {
  yield `{"model":"${MODEL}","messages":[{"role":"user","content":"`;
  for (let piece = 0; piece < mebibytes * 16; piece += 1) yield "ü".repeat(32_768);
  yield '"}]}';
}

describe("a request", () => {
  const held = {
    max_tokens: 64_000,
    thinking: { type: "adaptive" },
    output_config: { effort: "low", format: { a: 1e21 } },
  };
  it.each<[string, object, object]>([
    ["short", { model: MODEL, ...short }, { model: MODEL, ...short }],
    ["long, its model first", { model: MODEL, ...long, tools: [] }, { model: MODEL, ...long, tools: [] }],
    ["long, its model last", { ...long, stream: true, model: MODEL }, { ...long, stream: true, model: MODEL }],
    ["of short fields alone", { model: MODEL, max_tokens: 1 }, { model: MODEL, max_tokens: 1 }],
    ["that an instance has allowed a field for", { x_gateway: [1], model: MODEL }, { x_gateway: [1], model: MODEL }],
    ["with all that depends on the model", { ...long, ...held, model: MODEL }, { ...long, ...held, model: MODEL }],
    [
      "for another model, known at the end",
      { ...held, ...long, context_management: {}, model: "claude-other" },
      { ...long, max_tokens: 32_000, output_config: { format: { a: 1e21 } }, model: MODEL },
    ],
  ])("passes: %s", async (_what, sent, received) => {
    const { proxy } = await bed.begin();
    bed.upstream = answered;
    const text = JSON.stringify(sent, null, 1);
    const whole = { method: "POST", body: encoder.encode(text), headers: JSON_TYPE };
    const streamed = { method: "POST", body: inPieces(cutUp(text)).body, headers: JSON_TYPE };
    for (const request of [whole, streamed]) {
      expect((await proxy(PATH, request)).status).toBe(200);
      expect(JSON.parse(bed.asked.pop()?.text ?? "")).toEqual(received);
    }
  });

  const filler = JSON.stringify(long.messages);
  const faults: [string, string | Uint8Array, number, string, RegExp][] = [
    ["a server's tool", '"tools":[{"type":"web_search_20250305"}]}', 403, "proxy_refused", /web_search/],
    ["a connector", '"mcp_servers":[{}]}', 403, "proxy_refused", /mcp_servers/],
    ["a field that nobody knows", '"max_tokenz":1}', 400, "invalid_request", /max_tokenz.*"max_tokens"/],
    ["models to fall back to", '"fallbacks":[{"model":"claude-x"}]}', 400, "invalid_request", /fallbacks/],
    ["a known field in capitals", '"Tools":[]}', 400, "invalid_request", /Tools.*"tools"/],
    ["a field twice", '"system":"a","system":"b"}', 400, "invalid_request", /system: is there twice/],
    ["the long field twice", '"messages":[]}', 400, "invalid_request", /messages: is there twice/],
    ["a field twice, one escaped", '"system":"a","s\\u0079stem":"b"}', 400, "invalid_request", /twice/],
    ["its model twice", `"model":"${MODEL}"}`, 400, "invalid_request", /model: is there twice/],
    ["no end", '"system":"a"', 400, "invalid_json", /ends before/],
    ["more than its end", '"system":"a"}{}', 400, "invalid_json", /follows/],
    ["a comma too many", '"system":"a",}', 400, "invalid_json", /lacks a key/],
    ["bytes that are no text", Uint8Array.from([0x22, 0xff, 0x22, 0x7d]), 400, "invalid_json", /UTF-8/],
    ["too deep a nesting", `"system":${"[".repeat(1_001)}`, 400, "invalid_json", /nested/],
    ["too long a short field", `"thinking":"${"x".repeat(2 * MIB)}"}`, 413, "body_too_large", /large/],
  ];

  it("is refused for what is at its end, and the upstream never has a whole one", async () => {
    const { proxy, runId } = await bed.begin();
    bed.upstream = answered;
    for (const [what, end, status, code, words] of faults) {
      const { body } = inPieces([`{"model":"${MODEL}","messages":`, ...cutUp(filler), ",", end]);
      const refused = await errorOf(await proxy(PATH, { method: "POST", body, headers: JSON_TYPE }));
      expect(refused, what).toMatchObject({ status, message: expect.stringMatching(words), details: { code } });
      expect(bed.asked, what).toEqual([]);
    }
    expect((await read(runSchema, `/api/v1/runs/${runId}`)).evidence.model_calls).toBe(0);
  });

  it("that is no object, or asks for no model, is refused", async () => {
    const { proxy } = await bed.begin();
    for (const body of ["[]", '"x"', "7", "null", "{}", '{"model":7}', '{"model":""}', "", " "]) {
      const refused = await errorOf(await proxy(PATH, { method: "POST", body, headers: JSON_TYPE }));
      expect([body, refused.status]).toEqual([body, 400]);
    }
    expect(bed.asked).toEqual([]);
  });

  it("is not read for an attempt that has ended, another's run, a wrong type or a query", async () => {
    const { proxy, work } = await bed.begin();
    const other = await bed.begin();
    // What lies between may ask for the first piece.
    const little = 100;
    const notRead = async (path: string, headers: Record<string, string>, token = other.offer.proxy_token) => {
      const { body, made } = inPieces(messagesOf(1));
      const { status } = await other.proxy(path, { method: "POST", body, headers, token });
      expect(made()).toBeLessThan(little);
      return status;
    };
    expect(await notRead(PATH, JSON_TYPE, "nobodys")).toBe(401);
    expect(await notRead(PATH, JSON_TYPE, work.offer.proxy_token)).toBe(401);
    expect(await notRead(PATH, { "content-type": "text/plain" })).toBe(415);
    expect(await notRead(PATH, { ...JSON_TYPE, "content-encoding": "gzip" })).toBe(415);
    expect(await notRead(`${PATH}?x=1`, JSON_TYPE)).toBe(404);
    await work.finish();
    const { body, made } = inPieces(messagesOf(1));
    expect((await proxy(PATH, { method: "POST", body, headers: JSON_TYPE })).status).toBe(401);
    expect(made()).toBeLessThan(little);
  });

  it("that is too long is refused, and the upstream never has a whole one", async () => {
    const { proxy } = await bed.begin();
    bed.upstream = answered;
    const { body } = inPieces(messagesOf(33));
    expect((await proxy(PATH, { method: "POST", body, headers: JSON_TYPE })).status).toBe(413);
    expect(bed.asked).toEqual([]);
  });
});

describe("a long request", () => {
  it("is never held: what has not gone on is little, however slowly the upstream reads", {
    timeout: 30_000,
  }, async () => {
    const { proxy } = await bed.begin();
    const { body, made } = inPieces(messagesOf(31));
    let most = 0;
    let taken = 0;
    vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
      for await (const chunk of new Request(input, init).body ?? []) {
        taken += chunk.length;
        if (taken % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        most = Math.max(most, made() - taken);
      }
      return answered();
    });
    expect((await proxy(PATH, { method: "POST", body, headers: JSON_TYPE })).status).toBe(200);
    expect(taken).toBeGreaterThan(31 * MIB);
    expect(most).toBeLessThan(2 * MIB);
  });

  it("is recorded before its end leaves", async () => {
    const { proxy, runId } = await bed.begin();
    const calls = async () => (await read(runSchema, `/api/v1/runs/${runId}`)).evidence.model_calls;
    const seen: [number, string][] = [];
    vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
      const text = await new Request(input, init).text();
      seen.push([await calls(), text.trimEnd().slice(-1)]);
      return answered();
    });
    const { body } = inPieces(messagesOf(1));
    expect((await proxy(PATH, { method: "POST", body, headers: JSON_TYPE })).status).toBe(200);
    expect(seen).toEqual([[1, "}"]]);
  });

  it.each<[string, () => Response, number, number]>([
    ["an error", () => Response.json({ type: "error" }, { status: 529, headers: { "retry-after": "3" } }), 529, 0],
    ["its key's refusal", () => Response.json({}, { status: 401 }), 403, 0],
    ["an answer that can't be one", answered, 503, 0],
  ])(
    "that is answered before it is there has that answer, and is no call: %s",
    async (_what, answer, status, calls) => {
      const { proxy, runId } = await bed.begin();
      vi.mocked(globalThis.fetch).mockImplementation(async () => answer());
      const { body } = inPieces(messagesOf(8));
      expect((await proxy(PATH, { method: "POST", body, headers: JSON_TYPE })).status).toBe(status);
      expect((await read(runSchema, `/api/v1/runs/${runId}`)).evidence.model_calls).toBe(calls);
    },
  );

  it("has its length, where it came with one", async () => {
    const { proxy } = await bed.begin();
    bed.upstream = answered;
    const bytes = encoder.encode(JSON.stringify({ ...long, model: "claude-other", thinking: { type: "adaptive" } }));
    const { readable, writable } = new FixedLengthStream(bytes.length);
    const writer = writable.getWriter();
    void writer.write(bytes).then(() => writer.close());
    expect((await proxy(PATH, { method: "POST", body: readable, headers: JSON_TYPE })).status).toBe(200);
    const [request] = bed.asked;
    expect(JSON.parse(request?.text ?? "")).toEqual({ ...long, model: MODEL });
    expect(request?.body.length).toBe(bytes.length + 4_096);
  });
});
