/** The relay forwards this run's proxy paths, byte for byte and as they come, and nothing else. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { errorBodySchema } from "#protocol/errors.ts";
import { type Relay, startRelay } from "#sandbox-runner/sandbox/relay.ts";
import { endToEndHeaders, isFramedPlainly, relayAllows, requestHeaders } from "#sandbox-runner/sandbox/relay-rules.ts";

const scope = { runId: "run_1", repositories: 2 };

describe("what the relay lets through", () => {
  it.each([
    ["POST", "/proxy/run_1/model/v1/messages"],
    ["POST", "/proxy/run_1/model/v1/messages?beta=true"],
    ["POST", "/proxy/run_1/model/v1/messages/count_tokens?beta=true"],
    ["GET", "/proxy/run_1/git/0/info/refs?service=git-upload-pack"],
    ["GET", "/proxy/run_1/git/1/info/refs?service=git-receive-pack"],
    ["POST", "/proxy/run_1/git/1/git-upload-pack"],
    ["POST", "/proxy/run_1/git/0/git-receive-pack"],
    ["POST", "/proxy/run_1/git/0.git/info/lfs/objects/batch"],
    ["POST", "/proxy/run_1/git/1/info/lfs/locks/verify"],
    ["GET", "/proxy/run_1/git/0/info/lfs/objects/rk1.0123456789abcdef.AAAA_-"],
    ["PUT", "/proxy/run_1/git/0/info/lfs/objects/rk1.0123456789abcdef.AAAA_-"],
    ["POST", "/proxy/run_1/mcp/linear"],
    ["GET", "/proxy/run_1/mcp/linear"],
    ["DELETE", "/proxy/run_1/mcp/linear"],
  ])("%s %s", (method, target) => {
    expect(relayAllows({ method, target }, scope)).toBe(true);
  });

  it.each([
    ["GET", "/proxy/run_1/model/v1/messages"],
    ["POST", "/proxy/run_2/model/v1/messages"],
    ["POST", "/proxy/run_1/model/v1/messages/"],
    ["POST", "/proxy/run_1/model/v1/messages?beta=true&x=/../../"],
    ["POST", "/proxy/run_1/model/v1/models"],
    ["POST", "/proxy/run_1/model//v1/messages"],
    ["POST", "//proxy/run_1/model/v1/messages"],
    ["POST", "/proxy/run_1/../run_2/model/v1/messages"],
    ["POST", "/proxy/run_1/./model/v1/messages"],
    ["POST", "/proxy/run_1%2Fmodel/v1/messages"],
    ["POST", "/proxy/run_1/model/v1/messages#x"],
    ["POST", "/proxy/run_1/model/v1/messages\n"],
    ["POST", "http://127.0.0.1/proxy/run_1/model/v1/messages"],
    ["GET", "/proxy/run_1/git/2/info/refs?service=git-upload-pack"],
    ["GET", "/proxy/run_1/git/01/info/refs?service=git-upload-pack"],
    ["GET", "/proxy/run_1/git/0/info/refs"],
    ["GET", "/proxy/run_1/git/0/info/refs?service=git-evil"],
    ["GET", "/proxy/run_1/git/0/info/refs?service=git-upload-pack&service=git-receive-pack"],
    ["GET", "/proxy/run_1/git/0/HEAD"],
    ["GET", "/proxy/run_1/git/0/git-receive-pack"],
    ["PUT", "/proxy/run_1/git/0/git-receive-pack"],
    ["POST", "/proxy/run_1/git/0/info/refs?service=git-upload-pack"],
    ["POST", "/proxy/run_1/git/2.git/info/lfs/objects/batch"],
    ["POST", "/proxy/run_1/git/0.git/git-upload-pack"],
    ["GET", "/proxy/run_1/git/0/info/lfs/objects/batch"],
    ["GET", "/proxy/run_1/git/0/info/lfs/objects/../../../../x"],
    ["DELETE", "/proxy/run_1/git/0/info/lfs/objects/rk1.0123456789abcdef.AAAA"],
    ["POST", "/proxy/run_1/git/0/info/lfs/locks"],
    ["POST", "/proxy/run_1/mcp/linear/"],
    ["PUT", "/proxy/run_1/mcp/linear"],
    ["POST", "/proxy/run_1/mcp/linear?x=y"],
    ["GET", "/"],
    ["GET", "/api/v1/routines"],
    ["GET", "/cdn-cgi/explorer"],
    ["OPTIONS", "*"],
    [undefined, undefined],
  ])("not %s %s", (method, target) => {
    expect(relayAllows({ method, target }, scope)).toBe(false);
  });

  it.each<[string, Record<string, string>, boolean]>([
    ["GET", {}, true],
    ["GET", { "content-length": "0" }, true],
    ["GET", { "content-length": "5" }, false],
    ["GET", { "transfer-encoding": "chunked" }, false],
    ["GET", { connection: "close, Content-Length", "content-length": "5" }, false],
    ["POST", { "content-length": "5" }, true],
    ["POST", { "transfer-encoding": "chunked", connection: "keep-alive" }, true],
    ["POST", { "content-length": "5", connection: "content-length" }, false],
    ["POST", { "transfer-encoding": "chunked", connection: "Transfer-Encoding" }, false],
  ])("lets no bytes through behind a request: %s %j, %j", (method, headers, isPlain) => {
    expect(isFramedPlainly(method, headers)).toBe(isPlain);
  });

  const known = ["Authorization", "Content-Type", "Content-Length", "Accept", "Accept-Encoding", "User-Agent"];
  const steering = [
    ...["MF-Original-URL", "mf-original-url", "MF-Route-Override", "MF-CF-Blob", "MF-Op", "MF-Op-Target"],
    ...["MF-Custom-Fetch-Service", "MF-Custom-Node-Service", "MF-Proxy-Shared-Secret", "MF-Loopback-Secret"],
    ...["MF-Disable-Pretty-Error", "MF-Experimental-Error-Stack", "MF-Sec-Fetch-Mode", "MF-Access-Blob"],
    ...[
      "CF-Connecting-IP",
      "CF-Worker",
      "CF-Access-Jwt-Assertion",
      "X-Forwarded-For",
      "X-Forwarded-Proto",
      "Forwarded",
    ],
    ...[
      "X-Forwarded-Host",
      "X-Original-URL",
      "X-Rewrite-URL",
      "X-HTTP-Method-Override",
      "Cookie",
      "Origin",
      "Host",
      "Range",
    ],
  ];
  it.each([
    ["model", [...known, "anthropic-version", "Anthropic-Beta", "x-api-key"], ["Git-Protocol", "Content-Encoding"]],
    ["git", [...known, "Git-Protocol", "Content-Encoding"], ["x-api-key", "anthropic-beta"]],
  ] as const)("passes on a list of a %s request's headers", (kind, passed, others) => {
    const raw = [...passed, ...others, ...steering].flatMap((name) => [name, "v"]);
    expect(requestHeaders(raw, kind).map(([name]) => name)).toEqual([...passed]);
  });

  it("leaves out what belongs to one connection", () => {
    const raw = ["Host", "x", "X-Api-Key", "k", "Connection", "close, X-Hop", "x-hop", "1", "TE", "t", "Accept", "a"];
    expect(endToEndHeaders(raw)).toEqual([
      ["X-Api-Key", "k"],
      ["Accept", "a"],
    ]);
  });
});

const MODEL_PATH = "/proxy/run_1/model/v1/messages?beta=true";

describe("the relay", () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closers.splice(0).map((close) => close()));
  });

  async function instance(answer: (request: IncomingMessage, response: ServerResponse) => void, port = 0) {
    const server = createServer(answer);
    await new Promise<void>((ready) => server.listen(port, "127.0.0.1", ready));
    closers.push(
      () =>
        new Promise((closed) => {
          server.close(() => closed());
          server.closeAllConnections();
        }),
    );
    return (server.address() as AddressInfo).port;
  }

  async function relayTo(port: number, options: { dialForMs?: number; stallMs?: number } = {}): Promise<Relay> {
    const relay = await startRelay({ instanceUrl: `http://127.0.0.1:${port}`, ...options });
    relay.serve(scope);
    closers.push(() => relay.close());
    return relay;
  }

  it("refuses everything until it is told which run it serves, and serves no other after that", async () => {
    const port = await instance((_incoming, response) => response.end("served"));
    const relay = await startRelay({ instanceUrl: `http://127.0.0.1:${port}` });
    closers.push(() => relay.close());
    const ask = async (run: string) =>
      (await fetch(`${relay.url}/proxy/${run}/git/0/info/refs?service=git-upload-pack`)).status;
    expect(await ask("run_1")).toBe(403);
    relay.serve(scope);
    relay.serve({ ...scope, runId: "run_2" });
    expect([await ask("run_1"), await ask("run_2")]).toEqual([200, 403]);
  });

  it("says what it refuses, tells the run of the same once, and of so much at most", async () => {
    const relay = await startRelay({ instanceUrl: "http://127.0.0.1:1" });
    closers.push(() => relay.close());
    const told: string[] = [];
    relay.serve(scope, ({ message }) => told.push(message));
    const refused = async (path: string) =>
      errorBodySchema.parse(await (await fetch(`${relay.url}${path}`)).json()).error.message;
    for (const secret of ["a", "b"]) {
      expect(await refused(`/info/lfs?token=${secret}`)).toMatch(
        /model, git and connector paths only, not GET \/info\/lfs\.$/,
      );
    }
    expect(told).toEqual([expect.stringContaining("GET /info/lfs.")]);
    for (let number = 0; number < 70; number += 1) await refused(`/${number}`);
    expect(told).toHaveLength(50);
  });

  it("tells the run also of what it has refused before there was one", async () => {
    const relay = await startRelay({ instanceUrl: "http://127.0.0.1:1" });
    closers.push(() => relay.close());
    const told: string[] = [];
    expect((await fetch(`${relay.url}/elsewhere`)).status).toBe(403);
    relay.serve(scope, ({ message }) => told.push(message));
    expect((await fetch(`${relay.url}/elsewhere`)).status).toBe(403);
    expect(told).toEqual([expect.stringContaining("GET /elsewhere.")]);
  });

  it("passes method, target, headers and body on, and the answer back", async () => {
    const port = await instance(async (incoming, response) => {
      const seen = {
        method: incoming.method,
        url: incoming.url,
        headers: incoming.headers,
        body: await text(incoming),
      };
      response.writeHead(207, { "x-from": "instance", "content-type": "application/json" });
      response.end(JSON.stringify(seen));
    });
    const relay = await relayTo(port);
    const answer = await fetch(`${relay.url}${MODEL_PATH}`, {
      method: "POST",
      headers: { authorization: "Bearer proxy-token", "anthropic-version": "2023-06-01" },
      body: "x".repeat(300_000),
    });
    expect([answer.status, answer.headers.get("x-from")]).toEqual([207, "instance"]);
    expect(await answer.json()).toMatchObject({
      method: "POST",
      url: MODEL_PATH,
      headers: { authorization: "Bearer proxy-token", "anthropic-version": "2023-06-01", host: `127.0.0.1:${port}` },
      body: "x".repeat(300_000),
    });
  });

  it("streams: a piece arrives before the next one is written", async () => {
    const goOn = Promise.withResolvers<void>();
    const port = await instance(async (_incoming, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
      await goOn.promise;
      response.end("data: 2\n\n");
    });
    const relay = await relayTo(port);
    const answer = await fetch(`${relay.url}${MODEL_PATH}`, { method: "POST", body: "{}" });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect(await reader?.read()).toEqual({ done: false, value: "data: 1\n\n" });
    goOn.resolve();
    expect(await reader?.read()).toEqual({ done: false, value: "data: 2\n\n" });
  });

  it("answers everything else with 403, also upgrades, tunnels and whole addresses", async () => {
    let asked = 0;
    const port = await instance((_incoming, response) => {
      asked += 1;
      response.end();
    });
    const relay = await relayTo(port);
    const refused = await fetch(`${relay.url}/api/v1/routines`);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ type: "error", error: { details: { code: "proxy_refused" } } });
    const upgrade = `GET ${MODEL_PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    for (const raw of [
      upgrade,
      "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n",
      `POST http://127.0.0.1:${port}${MODEL_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`,
    ]) {
      expect(await statusOf(relay.port, raw)).toBe("HTTP/1.1 403 Forbidden");
    }
    expect(asked).toBe(0);
  });

  it("dials again while the instance is away, and then says so", async () => {
    const free = await instance(() => {});
    await Promise.all(closers.splice(0).map((close) => close()));
    const relay = await relayTo(free);
    const waiting = fetch(`${relay.url}${MODEL_PATH}`, { method: "POST", body: "hello" });
    await instance(async (incoming, response) => response.end(await text(incoming)), free);
    expect(await (await waiting).text()).toBe("hello");

    const impatient = await relayTo(1, { dialForMs: 0 });
    const answer = await fetch(`${impatient.url}${MODEL_PATH}`, { method: "POST", body: "hello" });
    expect([answer.status, await answer.json()]).toMatchObject([503, { error: { type: "overloaded_error" } }]);
  });

  it("cuts an answer that the instance did not finish, rather than ending it", async () => {
    const port = await instance((_incoming, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n", () => response.destroy());
    });
    const relay = await relayTo(port);
    const answer = await fetch(`${relay.url}${MODEL_PATH}`, { method: "POST", body: "{}" });
    await expect(answer.text()).rejects.toThrow();
  });

  it("cuts a stream on which nothing comes any more", async () => {
    const port = await instance((_incoming, response) => {
      response.writeHead(200);
      response.write("a");
    });
    const relay = await relayTo(port, { stallMs: 100 });
    const answer = await fetch(`${relay.url}${MODEL_PATH}`, { method: "POST", body: "{}" });
    await expect(answer.text()).rejects.toThrow();
  });

  it("lets go of the instance when the caller goes away", async () => {
    const gone = Promise.withResolvers<void>();
    const port = await instance((_incoming, response) => {
      response.once("close", gone.resolve);
      response.write("a");
    });
    const relay = await relayTo(port);
    const call = request(`${relay.url}${MODEL_PATH}`, { method: "POST" }, (answer) =>
      answer.once("data", () => call.destroy()),
    );
    call.on("error", () => {});
    call.end("{}");
    await gone.promise;
  });
});

/** The status line that a raw request gets. */
function statusOf(port: number, raw: string): Promise<string> {
  return new Promise((settle, fail) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(raw));
    socket.once("data", (data) => {
      settle(data.toString("latin1").split("\r\n")[0] ?? "");
      socket.destroy();
    });
    socket.once("error", fail);
  });
}
