/** Requests to the model, as long as they may be: judged while they pass by, and never all in memory. */
import { describe, expect, it, vi } from "vitest";
import { errorAnswer, success } from "#protocol/errors.ts";
import { runSchema } from "#protocol/run.ts";
import { REQUEST_FIELDS } from "#worker/proxy/model/request-fields.ts";
import { RequestReader, RequestRefused } from "#worker/proxy/model/request-reader.ts";
import { sendRequest } from "#worker/proxy/model/send-request.ts";
import { MODEL, ProxyBed } from "./proxy-bed.ts";
import { read } from "./support.ts";

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
    // What is enqueued may be taken away.
    const bytes = typeof value === "string" ? encoder.encode(value) : value.slice();
    made += bytes.length;
    controller.enqueue(bytes);
  };
  return { body: new ReadableStream({ pull }, { highWaterMark: 0 }), made: () => made };
}

function* cutUp(text: string, size = 60_000): Generator<Uint8Array> {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

function* messagesOf(mebibytes: number): Generator<string | Uint8Array> {
  yield `{"model":"${MODEL}","messages":[{"role":"user","content":"`;
  const piece = encoder.encode("ü".repeat(MIB / 32));
  for (let made = 0; made < mebibytes * 16; made += 1) yield piece;
  yield '"}]}';
}

function refusedBy(work: () => void): RequestRefused {
  try {
    work();
  } catch (error) {
    if (error instanceof RequestRefused) return error;
    throw error;
  }
  return expect.unreachable("nothing was refused");
}

describe("a request", () => {
  const held = {
    max_tokens: 64_000,
    thinking: { type: "adaptive" },
    output_config: { effort: "low", format: { a: 1e21 } },
  };
  const passing: [string, object, object][] = [
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
    [
      "halves of surrogate pairs",
      { ...short, system: "cut \ud83d", model: MODEL, metadata: { "\udc00": "😀 \ud800x" } },
      { ...short, system: "cut \ufffd", metadata: { "\ufffd": "😀 \ufffdx" }, model: MODEL },
    ],
    [
      "the same in a long one",
      { messages: [...long.messages, { role: "user", content: "cut \ud83d" }], model: MODEL },
      { messages: [...long.messages, { role: "user", content: "cut \ufffd" }], model: MODEL },
    ],
  ];

  it("passes, whole or in pieces", async () => {
    const { proxy } = await bed.begin();
    bed.upstream = answered;
    for (const [what, sent, received] of passing) {
      const text = JSON.stringify(sent, null, 1);
      for (const body of [encoder.encode(text), inPieces(cutUp(text)).body]) {
        expect((await proxy(PATH, { method: "POST", body, headers: JSON_TYPE })).status, what).toBe(200);
        expect(JSON.parse(bed.asked.pop()?.text ?? ""), what).toEqual(received);
      }
    }
  });

  const filler = JSON.stringify(long.messages);
  const faults: [string, string | Uint8Array, string, RegExp][] = [
    ["a server's tool", '"tools":[{"type":"web_search_20250305"}]}', "proxy_refused", /web_search/],
    ["a connector", '"mcp_servers":[{}]}', "proxy_refused", /mcp_servers/],
    ["a field that nobody knows", '"max_tokenz":1}', "invalid_request", /max_tokenz.*"max_tokens"/],
    ["models to fall back to", '"fallbacks":[{"model":"claude-x"}]}', "invalid_request", /fallbacks/],
    ["a known field in capitals", '"Tools":[]}', "invalid_request", /Tools.*"tools"/],
    ["a field twice", '"system":"a","system":"b"}', "invalid_request", /system: is there twice/],
    ["the long field twice", '"messages":[]}', "invalid_request", /messages: is there twice/],
    ["a field twice, one escaped", '"system":"a","s\\u0079stem":"b"}', "invalid_request", /twice/],
    ["its model twice", `"model":"${MODEL}"}`, "invalid_request", /model: is there twice/],
    ["no end", '"system":"a"', "invalid_json", /ends before/],
    ["more than its end", '"system":"a"}{}', "invalid_json", /follows/],
    ["a comma too many", '"system":"a",}', "invalid_json", /lacks a key/],
    ["bytes that are no text", Uint8Array.from([0x22, 0xff, 0x22, 0x7d]), "invalid_json", /UTF-8/],
    ["too deep a nesting", `"system":${"[".repeat(1_001)}`, "invalid_json", /nested/],
    ["too long a short field", `"thinking":"${"x".repeat(2 * MIB)}"}`, "body_too_large", /large/],
  ];

  it.each(faults)("is refused for what is at its end: %s", (_what, end, code, words) => {
    const request = new RequestReader({ known: new Set(REQUEST_FIELDS), reachesAll: false }, () => {});
    const refused = () => {
      for (const piece of [`{"model":"${MODEL}","messages":[],`, end]) {
        request.push(typeof piece === "string" ? encoder.encode(piece) : piece);
      }
      request.finish();
    };
    const { refusal } = refusedBy(refused);
    expect([refusal.code, errorAnswer(refusal, "req").body.error.message]).toEqual([
      code,
      expect.stringMatching(words),
    ]);
  });

  it("is refused for what is at its end, and the upstream never has a whole one", async () => {
    const { proxy, runId } = await bed.begin();
    bed.upstream = answered;
    for (const [end, status] of [
      ['"tools":[{"type":"web_search_20250305"}]}', 403],
      ['"system":"a"', 400],
      [`"thinking":"${"x".repeat(2 * MIB)}"}`, 413],
    ] as const) {
      const { body } = inPieces([`{"model":"${MODEL}","messages":`, ...cutUp(filler), ",", end]);
      expect((await proxy(PATH, { method: "POST", body, headers: JSON_TYPE })).status).toBe(status);
      expect(bed.asked).toEqual([]);
    }
    expect((await read(runSchema, `/api/v1/runs/${runId}`)).evidence.model_calls).toBe(0);
  });

  it.each([
    ["once", '{"messages":[{"content":[{"cache_control":{"type":"ephemeral","ttl":"1h"}}]}],"model":"m"}', true],
    ["for five minutes", '{"system":[{"cache_control":{"type":"ephemeral","ttl":"5m"}}],"model":"m"}', false],
    ["in another place", '{"cache_control":{"ttl":["1h"],"type":"1h"},"model":"m"}', false],
  ])("tells that it writes to the cache for an hour: %s", (_what, text, expected) => {
    const request = new RequestReader({ known: new Set(REQUEST_FIELDS), reachesAll: false }, () => {});
    for (const byte of encoder.encode(text)) request.push(Uint8Array.of(byte));
    request.finish();
    expect(request.cachesForHour).toBe(expected);
  });

  it("that is no object, or asks for no model, is refused", async () => {
    const { proxy } = await bed.begin();
    for (const body of ["[]", "null", "{}", '{"model":""}', ""]) {
      const { status } = await proxy(PATH, { method: "POST", body, headers: JSON_TYPE });
      expect([body, status]).toEqual([body, 400]);
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
    expect(await notRead(PATH, { ...JSON_TYPE, "content-length": String(33 * MIB) })).toBe(413);
    expect(await notRead(`${PATH}?x=1`, JSON_TYPE)).toBe(404);
    await work.finish();
    const { body, made } = inPieces(messagesOf(1));
    expect((await proxy(PATH, { method: "POST", body, headers: JSON_TYPE })).status).toBe(401);
    expect(made()).toBeLessThan(little);
  });

  it.each([
    ["has no length", null],
    ["is longer than it tells", 2 * MIB],
  ])("that is too long is refused, and the upstream never has a whole one: it %s", async (_what, length) => {
    let isWhole = false;
    const { body } = inPieces(messagesOf(3));
    const sent = await sendRequest({
      body,
      length,
      limitBytes: length ?? 2 * MIB,
      rules: { known: new Set(REQUEST_FIELDS), reachesAll: false },
      decide: async (held) => success(held),
      ask: async (begun) => {
        for await (const _piece of new Response(begun).body ?? []);
        isWhole = true;
        return success(answered());
      },
    });
    expect(sent).toMatchObject({ kind: "refused", refusal: { code: "body_too_large", limit_bytes: 2 * MIB } });
    expect(isWhole).toBe(false);
  });
});

describe("a long request", () => {
  it("is never held: what has not gone on is little, however slowly the upstream reads", async () => {
    const { proxy } = await bed.begin();
    const { body, made } = inPieces(messagesOf(6));
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
    expect(taken).toBeGreaterThan(6 * MIB);
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

  it("that is answered before it is there has that answer, and is no call", async () => {
    const { proxy, runId } = await bed.begin();
    const early: [string, () => Response, number][] = [
      ["an error", () => Response.json({ type: "error" }, { status: 529, headers: { "retry-after": "3" } }), 529],
      ["its key's refusal", () => Response.json({}, { status: 401 }), 403],
      ["an answer that can't be one", answered, 503],
    ];
    for (const [what, answer, status] of early) {
      vi.mocked(globalThis.fetch).mockImplementation(async () => answer());
      const { body } = inPieces(messagesOf(2));
      expect((await proxy(PATH, { method: "POST", body, headers: JSON_TYPE })).status, what).toBe(status);
    }
    expect((await read(runSchema, `/api/v1/runs/${runId}`)).evidence.model_calls).toBe(0);
  });

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
