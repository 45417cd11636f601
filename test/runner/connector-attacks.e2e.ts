/** What hostile servers and hostile programs in the sandbox try with the proxy of connectors, over real sockets. */
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ConnectorBed } from "./support/connector-bed.ts";
import { until } from "./support/until.ts";

interface Message {
  id?: number | string;
  method?: string;
  params?: Record<string, unknown>;
  result?: object;
}
interface Asked {
  method: string;
  headers: IncomingHttpHeaders;
  message: Message;
}
type Answer = (message: Message, response: ServerResponse, request: IncomingMessage) => void;

const TOKEN = "canary-of-the-connector-0004";
const EVENTS = { "content-type": "text/event-stream" };
const event = (message: object) => `data: ${JSON.stringify(message)}\n\n`;
const CALL = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "look", arguments: {} } };
const said = (text: string) => ({ jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text }] } });

describe("a connector", () => {
  let bed: ConnectorBed;
  let server: Server;
  let other: Server;
  const asked: Asked[] = [];
  const askedElsewhere: string[] = [];
  let answer: Answer;
  let name = "";
  const origin = (of: Server) => `http://127.0.0.1:${(of.address() as AddressInfo).port}`;

  beforeAll(async () => {
    bed = await ConnectorBed.start();
    bed.secrets.set("TOKEN", TOKEN);
    server = createServer(async (incoming, response) => {
      response.on("error", () => {});
      let text = "";
      for await (const chunk of incoming) text += chunk;
      const message: Message = text === "" ? {} : JSON.parse(text);
      asked.push({ method: incoming.method ?? "", headers: incoming.headers, message });
      answer(message, response, incoming);
    }).listen(0, "127.0.0.1");
    other = createServer((incoming, response) => {
      askedElsewhere.push(`${incoming.method} ${incoming.url}`);
      response.end();
    }).listen(0, "127.0.0.1");
    await Promise.all([once(server, "listening"), once(other, "listening")]);
    name = await bed.make(`${origin(server)}/mcp`, { type: "bearer", token: "{{TOKEN}}" });
  });
  afterEach(() => {
    asked.length = 0;
    askedElsewhere.length = 0;
  });
  afterAll(async () => {
    for (const one of [server, other]) {
      one.closeAllConnections();
      one.close();
    }
    await bed.close();
  });

  /** As a program in the sandbox asks that keeps to nothing. */
  async function ask(body: object | string, headers: Record<string, string> = {}, method = "POST") {
    const { url, token } = await bed.addressOf(name);
    const asking = request(url, { method, headers: { authorization: `Bearer ${token}`, ...headers } });
    asking.end(method === "POST" ? (typeof body === "string" ? body : JSON.stringify(body)) : undefined);
    const [response]: IncomingMessage[] = (await once(asking, "response")) as never;
    if (response === undefined) throw new Error("no answer");
    let text = "";
    for await (const chunk of response) text += chunk;
    return { status: response.statusCode, headers: response.headers, text };
  }
  const words = async (headers = {}) =>
    (await ask(CALL, { accept: "application/json, text/event-stream", ...headers })).text;

  it.each<[string, Answer, RegExp]>([
    [
      "ends a stream without an answer",
      (_m, response) =>
        response.writeHead(200, EVENTS).end(event({ jsonrpc: "2.0", method: "notifications/progress", params: {} })),
      /ended its answer before it was whole/,
    ],
    [
      "breaks off in the middle of an event",
      (_m, response) => void response.writeHead(200, EVENTS).write('data: {"jsonrpc"', () => response.destroy()),
      /ended its answer before it was whole/,
    ],
    [
      "breaks off in the middle of JSON",
      (_m, response) =>
        void response
          .writeHead(200, { "content-type": "application/json", "content-length": "1000" })
          .write("{", () => response.destroy()),
      /what MCP does not have/,
    ],
    [
      "answers another's request",
      (_m, response) => response.writeHead(200, EVENTS).end(event({ jsonrpc: "2.0", id: 7, result: {} })),
      /ended its answer before it was whole/,
    ],
    [
      "writes one line without an end",
      (_m, response) => endless(response.writeHead(200, EVENTS), "data: "),
      /said more than an answer may have/,
    ],
    [
      "writes JSON without an end",
      (_m, response) => endless(response.writeHead(200, { "content-type": "application/json" }), '{"result":"'),
      /or too much of it/,
    ],
    [
      "sends what unfolds to a thousand times its size",
      (_m, response) =>
        response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(BOMB),
      /or too much of it/,
    ],
    [
      "nests without an end",
      (_m, response) =>
        response
          .writeHead(200, { "content-type": "application/json" })
          .end(`{"jsonrpc":"2.0","id":1,"result":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`),
      /too deep/,
    ],
    [
      "nests without an end in a stream",
      (_m, response) =>
        response
          .writeHead(200, EVENTS)
          .end(`data: {"jsonrpc":"2.0","id":1,"result":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}\n\n`),
      /ended its answer before it was whole/,
    ],
    [
      "has headers without an end",
      (_m, response) =>
        response.writeHead(200, { "content-type": "application/json", "x-long": "a".repeat(1_000_000) }).end("{}"),
      /could not be reached/,
    ],
    [
      "answers with a header that is two",
      (_m, response) =>
        void response.socket?.end(
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: a\rSet-Cookie: b=c\r\n\r\n{}",
        ),
      /could not be reached/,
    ],
    [
      "goes to another origin with what it was sent",
      (_m, response) => response.writeHead(307, { location: `${origin(other)}/mcp` }).end(),
      /has moved to .*: give the connector the new address/,
    ],
    ...[301, 302, 303, 307, 308].flatMap((status) =>
      [
        "http://169.254.169.254/latest",
        "https://[fd00::1]/",
        "https://metadata.google.internal./",
        "https://10.1/",
        "https://0xa9fea9fe/",
        "https://①⑥⑨.254.169.254/",
        "file:///etc/passwd",
        "//user@169.254.169.254/",
      ].map((location): [string, Answer, RegExp] => [
        `leads inwards by ${status} to ${location}`,
        (_m, response) =>
          response
            .writeHead(status, { location: encodeURI(location).replaceAll("%5B", "[").replaceAll("%5D", "]") })
            .end(),
        /redirects to an address that must/,
      ]),
    ),
  ])("whose server %s fails its call in words, and soon", async (_how, how, expected) => {
    answer = how;
    expect(await words()).toMatch(expected);
    expect(askedElsewhere).toEqual([]);
  });

  it("gets a list of headers from a program in the sandbox, and none that tells how its body is to be read", async () => {
    answer = (_message, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(said("done")));
    const hostile = {
      ...{
        "content-type": "application/json; charset=utf-16",
        accept: "text/plain",
        cookie: "a=b",
        "x-api-key": "k",
        origin: "https://evil.example",
      },
      ...{
        "proxy-authorization": "Basic YTpi",
        "x-forwarded-for": "10.0.0.1",
        "x-http-method-override": "DELETE",
        "content-encoding": "identity",
        te: "trailers",
      },
      ...{ connection: "mcp-protocol-version", "mcp-protocol-version": "2025-06-18", "mcp-param-region": "eu" },
    };
    expect(await words(hostile)).toContain("done");
    const { token } = await bed.addressOf(name);
    expect(JSON.stringify(asked)).not.toContain(token);
    const { headers } = asked[0] ?? { headers: {} };
    const ofFetch = [
      "accept-encoding",
      "accept-language",
      "connection",
      "content-length",
      "host",
      "sec-fetch-mode",
      "user-agent",
    ];
    expect(Object.fromEntries(Object.entries(headers).filter(([key]) => !ofFetch.includes(key)))).toEqual({
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${TOKEN}`,
      "content-type": "application/json",
      "mcp-param-region": "eu",
      "mcp-protocol-version": "2025-06-18",
    });
  });

  it("passes no header of its server's but its session, which is none of the server's spelling", async () => {
    answer = (_message, response) =>
      response
        .writeHead(200, {
          ...{
            "content-type": "application/json",
            "mcp-session-id": "a b",
            "set-cookie": ["a=b", "c=d"],
            location: "https://evil.example",
          },
          ...{
            refresh: "0;url=https://evil.example",
            "access-control-allow-origin": "*",
            "x-should-retry": "true",
            "www-authenticate": "Bearer",
            link: "<x>",
          },
        })
        .end(JSON.stringify(said(`You sent ${TOKEN}`)));
    const got = await ask(CALL);
    expect(Object.keys(got.headers).sort()).toEqual([
      "connection",
      "content-type",
      "date",
      "keep-alive",
      "transfer-encoding",
    ]);
    expect(got.text).toContain("You sent [secret]");
    for (const id of ["stand-in session", "\u00e9\u00ff", "a".repeat(2_000), ""]) {
      answer = (_message, response) =>
        response
          .writeHead(200, { "content-type": "application/json", "mcp-session-id": id })
          .end(JSON.stringify(said("done")));
      const { status, headers } = await ask(CALL);
      expect([id, status, headers["mcp-session-id"]]).toEqual([id, 200, undefined]);
    }
  });

  it("declines what its server asks by a request that the server takes, a few times, and the call goes on", async () => {
    answer = (message, response) => {
      const { method } = message;
      if (method !== "tools/call") return void response.writeHead(method === undefined ? 202 : 405).end();
      response.writeHead(200, EVENTS);
      for (let id = 0; id < 1_000; id += 1)
        response.write(
          event({ jsonrpc: "2.0", id, method: "elicitation/create", params: { message: "Your password?" } }),
        );
      response.end(event(said("done")));
    };
    expect(
      await words({ "mcp-method": "tools/call", "mcp-name": "look", "mcp-protocol-version": "2025-11-25" }),
    ).toContain("done");
    const declined = () => asked.filter(({ message }) => message.method === undefined);
    await until("it was declined", () => declined().length >= 20);
    expect(declined().length).toBe(20);
    expect(declined()[0]).toMatchObject({
      headers: { accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25" },
      message: { id: 0, result: { action: "decline" } },
    });
    expect(declined()[0]?.headers).not.toHaveProperty("mcp-name");
  });

  it("tells a stream that can be taken up again when to do so, and leaves it open", async () => {
    answer = (_message, response) => response.writeHead(200, EVENTS).end("id: 7\nretry: 500\ndata: \n\n");
    const text = await words();
    expect(text).toContain("retry: 500\n");
    expect(text).toContain("id: 7\n");
    expect(text).not.toContain("isError");
  });

  it("has many sessions at once, each its own, and lists page by page", async () => {
    const lists = new Map<string, number>();
    answer = ({ id, method, params }, response, { headers }) => {
      const session = headers["mcp-session-id"] ?? `session-${lists.size}`;
      if (method === "initialize") lists.set(String(session), 0);
      const results: Record<string, object> = {
        initialize: {
          protocolVersion: "2025-06-18",
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: "x", version: "1" },
        },
        "tools/list": {
          tools: [{ name: `${session}-${params?.["cursor"] ?? 0}`, inputSchema: { type: "object" } }],
          ...(params?.["cursor"] === "2" ? {} : { nextCursor: params?.["cursor"] === "1" ? "2" : "1" }),
        },
        "tools/call": { content: [{ type: "text", text: `${session} called ${params?.["name"]}` }] },
      };
      const result = results[method ?? ""];
      if (id === undefined) response.writeHead(202).end();
      else if (result === undefined) response.writeHead(405).end();
      else
        response
          .writeHead(200, {
            "content-type": "application/json",
            ...(method === "initialize" ? { "mcp-session-id": String(session) } : {}),
          })
          .end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    };
    const clients = await Promise.all(Array.from({ length: 20 }, () => bed.client(name)));
    const seen = await Promise.all(
      clients.map(async (client) => {
        const { tools } = await client.listTools();
        const { content } = await client.callTool({ name: tools.at(-1)?.name ?? "" });
        return JSON.stringify(content).match(/(session-\d+) called \1-2/)?.[1];
      }),
    );
    expect(new Set(seen)).toEqual(new Set(lists.keys()));
    await Promise.all(clients.map((client) => client.close()));
  });
});

const BOMB = gzipSync(Buffer.alloc(200_000_000, "a"));

/** As fast as it is read, until nobody reads any more. */
function endless(response: ServerResponse, begin: string): void {
  response.write(begin);
  const more = "a".repeat(262_144);
  const write = () => {
    while (!response.destroyed && response.write(more));
    if (!response.destroyed) response.once("drain", write);
  };
  write();
}
