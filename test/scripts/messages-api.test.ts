/** The Messages API on the wire: what the agent's SDK reads out of it. */
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { SseReader } from "#scripts/demo/sse.ts";
import { createMessagesServer, type MessagesServer, type ReplyPlan } from "#scripts/demo-model/messages-api.ts";

let server: MessagesServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const ASK = { model: "claude-test", max_tokens: 10, messages: [{ role: "user", content: "Hello" }] };

async function serve(reply: ReplyPlan | ((text: string) => ReplyPlan)): Promise<string> {
  let count = 0;
  server = await createMessagesServer({
    reply: (request) => (typeof reply === "function" ? reply(JSON.stringify(request.messages)) : reply),
    drawId: () => `id${++count}`,
  });
  return server.url;
}

function post(url: string, body: unknown, path = "/v1/messages?beta=true", signal?: AbortSignal): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(`${url}${path}`, { method: "POST", body: text, ...(signal === undefined ? {} : { signal }) });
}

async function readStream(response: Response): Promise<Record<string, unknown>[]> {
  return new SseReader().push(await response.text()).map(({ data }) => JSON.parse(data));
}

const REPLY: ReplyPlan = {
  kind: "message",
  thinking: "Let me think about this for more than one piece of text.",
  text: "Grüße 👋 – a text that is longer than one delta of the stream.",
  toolCalls: [{ name: "Bash", input: { command: "git log --format='%h %s' | head -n 3", description: "Look" } }],
  usage: { cache_read_input_tokens: 7 },
};

describe("a stream", () => {
  test("has the events in their order, and its deltas make up the message", async () => {
    const response = await post(await serve(REPLY), { ...ASK, stream: true });
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    expect(response.headers.get("request-id")).toMatch(/^req_/);
    const events = await readStream(response);
    const kinds = events.map(({ type }) => type).filter((type) => type !== "content_block_delta");
    const block = ["content_block_start", "content_block_stop"];
    expect(kinds).toEqual(["message_start", "ping", ...block, ...block, ...block, "message_delta", "message_stop"]);
    expect(events[0]).toMatchObject({
      message: { role: "assistant", model: "claude-test", content: [], stop_reason: null, usage: { output_tokens: 1 } },
    });
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: "tool_use", stop_sequence: null },
      usage: { cache_read_input_tokens: 7, cache_creation_input_tokens: 0 },
    });

    const deltas = events.filter(({ type }) => type === "content_block_delta");
    const joined = (index: number, key: string) =>
      deltas
        .filter((event) => event["index"] === index)
        .map((event) => new Map(Object.entries(Object(event["delta"]))).get(key) ?? "")
        .join("");
    expect(deltas.length).toBeGreaterThan(6);
    expect(joined(0, "thinking")).toBe("Let me think about this for more than one piece of text.");
    expect(joined(0, "signature")).not.toBe("");
    expect(joined(1, "text")).toBe("Grüße 👋 – a text that is longer than one delta of the stream.");
    expect(JSON.parse(joined(2, "partial_json"))).toEqual(REPLY.kind === "message" && REPLY.toolCalls?.[0]?.input);
    const starts = events.filter(({ type }) => type === "content_block_start");
    expect(starts[2]).toMatchObject({
      content_block: { type: "tool_use", name: "Bash", input: {}, id: expect.stringMatching(/^toolu_/) },
    });
  });

  test("without tool calls ends the turn", async () => {
    const events = await readStream(await post(await serve({ kind: "message", text: "Hi" }), { ...ASK, stream: true }));
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: "end_turn" } });
  });
});

test("without stream the same message comes as one JSON object", async () => {
  const response = await post(await serve(REPLY), ASK);
  expect(await response.json()).toMatchObject({
    type: "message",
    role: "assistant",
    content: [
      { type: "thinking" },
      { type: "text" },
      { type: "tool_use", name: "Bash", input: { description: "Look" } },
    ],
    stop_reason: "tool_use",
    usage: { cache_read_input_tokens: 7 },
  });
});

test("tokens are counted without a reply", async () => {
  const url = await serve(() => {
    throw new Error("asked for a reply");
  });
  const answer = await (await post(url, ASK, "/v1/messages/count_tokens")).json();
  expect(answer).toEqual({ input_tokens: Math.ceil(JSON.stringify(ASK).length / 4) });
});

test("several conversations are answered at once, each for itself", async () => {
  const url = await serve((text) => ({ kind: "message", text: `You said ${text}`, startDelayMs: 20, deltaDelayMs: 1 }));
  const said = Array.from({ length: 8 }, (_none, index) => `word ${index}`);
  const answers = await Promise.all(
    said.map(async (content) => (await post(url, { ...ASK, messages: [{ role: "user", content }] })).json()),
  );
  expect(answers).toMatchObject(
    said.map((content) => ({ content: [{ text: `You said ${JSON.stringify([{ role: "user", content }])}` }] })),
  );
});

describe("faults that a test can ask for", () => {
  test("an error has the API's shape and the headers that were asked for", async () => {
    const plan: ReplyPlan = {
      kind: "error",
      status: 529,
      type: "overloaded_error",
      message: "busy",
      headers: { "retry-after": "1" },
    };
    const response = await post(await serve(plan), { ...ASK, stream: true });
    expect([response.status, response.headers.get("retry-after")]).toEqual([529, "1"]);
    expect(await response.json()).toEqual({ type: "error", error: { type: "overloaded_error", message: "busy" } });
  });

  test("a reply that throws is a 500 of the API's", async () => {
    const url = await serve(() => {
      throw new Error("out of script");
    });
    const response = await post(url, ASK);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error: { type: "api_error", message: "out of script" } });
  });

  test("a hang keeps its caller waiting until it goes away, and others are served meanwhile", async () => {
    const url = await serve((text) =>
      text.includes("hang") ? { kind: "hang", after: "stream" } : { kind: "message", text: "Hi" },
    );
    const leave = new AbortController();
    const ask = { ...ASK, messages: [{ role: "user", content: "hang" }], stream: true };
    const hanging = await post(url, ask, "/v1/messages", leave.signal);
    expect(hanging.headers.get("content-type")).toMatch(/^text\/event-stream/);
    expect((await post(url, ASK)).status).toBe(200);
    const body = hanging.text();
    leave.abort();
    await expect(body).rejects.toThrow();
  });
});

describe("requests that do not fit", () => {
  const cases: [string, unknown, number][] = [
    ["not JSON", "{", 400],
    ["no model", { messages: ASK.messages }, 400],
    ["no messages", { model: "m", messages: [] }, 400],
    ["an unknown role", { model: "m", messages: [{ role: "robot", content: "" }] }, 400],
    [
      "a tool result without its id",
      { model: "m", messages: [{ role: "user", content: [{ type: "tool_result" }] }] },
      400,
    ],
  ];
  test.each(cases)("%s", async (_what, body, status) => {
    const response = await post(await serve({ kind: "message", text: "Hi" }), body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  });

  test("other paths and methods", async () => {
    const url = await serve({ kind: "message", text: "Hi" });
    expect((await post(url, ASK, "/v1/models")).status).toBe(404);
    expect((await fetch(`${url}/v1/messages`)).status).toBe(405);
  });
});

test("it listens on loopback alone, and a port that is taken is an error", async () => {
  const url = await serve({ kind: "message", text: "Hi" });
  expect(new URL(url).hostname).toBe("127.0.0.1");
  const port = Number(new URL(url).port);
  await expect(createMessagesServer({ reply: () => REPLY, port })).rejects.toThrow(/EADDRINUSE/);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, "127.0.0.2", resolve));
  await new Promise((resolve) => other.close(resolve));
});
