/** What a run's agent gets of a connector through the worker: its server's messages, filtered, and words where there are none. */
import { exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Connector } from "#protocol/connector.ts";
import type { BegunLogin } from "#protocol/connector-oauth.ts";
import { runSchema } from "#protocol/run.ts";
import { call as api, OWNER_TOKEN } from "#test/support/api.ts";
import { FakeMcp, MCP_URL } from "#test/support/fake-mcp.ts";
import { comeBack, FakeOauth, REVEILLE } from "#test/support/fake-oauth.ts";
import type { ServerAnswer } from "#worker/proxy/mcp/ask-server.ts";
import { eventAnswer } from "#worker/proxy/mcp/event-answer.ts";
import { ProxyBed } from "./proxy-bed.ts";
import { type Asked, read } from "./support.ts";

const bed = ProxyBed.make();
const TOKEN = "canary-of-a-connector-0002";
let made = 0;

/** A run whose routine has a connector. */
async function begin(
  tools: object = {},
  server = new FakeMcp(),
  auth: object = { type: "bearer", token: "{{MCP_TOKEN}}" },
) {
  made += 1;
  const name = `acme-${made}`;
  bed.upstream = server.answer;
  await api("PUT", "/api/v1/secrets/MCP_TOKEN", { value: TOKEN });
  const connector = await api<Connector>("POST", "/api/v1/connectors", { name, url: MCP_URL, auth });
  const run = await bed.begin(undefined, undefined, { connectors: [{ name, tools }] });
  bed.asked = [];
  server.messages.length = 0;
  const path = `/mcp/${name}`;
  const send = (body: unknown, headers: Record<string, string> = {}, method = "POST") =>
    run.proxy(path, {
      method,
      headers: { accept: "application/json, text/event-stream", ...headers },
      ...(body === undefined ? {} : { body }),
    } satisfies Asked);
  return { ...run, server, connector: connector.body, name, send };
}

const request = (method: string, params: object = {}, id = 1) => ({ jsonrpc: "2.0", id, method, params });
const callOf = (name: string) => request("tools/call", { name, arguments: {} });
const initialize = request("initialize", {
  protocolVersion: "2025-06-18",
  capabilities: { elicitation: {}, sampling: {}, roots: {}, experimental: {} },
  clientInfo: { name: "agent", version: "1" },
});
const event = (message: unknown) => `event: message\nid: 7\ndata: ${JSON.stringify(message)}\n\n`;
const stream = (...texts: string[]) =>
  new Response(texts.join(""), { headers: { "content-type": "text/event-stream" } });

describe("a connector", () => {
  it("is called with its credential and a list of headers, and what comes back has a list of its own", async () => {
    const { send, server, name, runId } = await begin();
    server.instead = (_request, { id, method }) =>
      method === "tools/call"
        ? Response.json(
            { jsonrpc: "2.0", id, result: { content: [{ type: "text", text: `You sent ${TOKEN}` }] } },
            { headers: { "set-cookie": "a=b", "www-authenticate": "Bearer", "x-own": "1" } },
          )
        : null;
    const begun = await send(initialize, {
      cookie: "c=d",
      "x-forwarded-for": "1.2.3.4",
      "mcp-protocol-version": "2025-06-18",
    });
    expect(await begun.json()).toMatchObject({ id: 1, result: { serverInfo: { name: "acme" } } });
    const session = begun.headers.get("mcp-session-id") ?? "";
    expect(session).not.toContain(server.session);
    expect(server.messages[0]?.params).toMatchObject({ capabilities: { experimental: {} } });
    expect(Object.keys(server.messages[0]?.params?.["capabilities"] ?? {})).toEqual(["experimental"]);
    const [first] = bed.asked;
    expect([...(first?.headers.keys() ?? [])].sort()).toEqual([
      "accept",
      "authorization",
      "content-type",
      "mcp-protocol-version",
    ]);
    expect(first?.headers.get("authorization")).toBe(`Bearer ${TOKEN}`);

    const answer = await send(callOf("list_issues"), { "mcp-session-id": session });
    expect(await answer.json()).toMatchObject({ result: { content: [{ text: "You sent [secret]" }] } });
    expect([...answer.headers.keys()].filter((key) => /cookie|authenticate|x-own/.test(key))).toEqual([]);
    expect(bed.asked[1]?.headers.get("mcp-session-id")).toBe(server.session);
    expect((await send({ jsonrpc: "2.0", method: "notifications/initialized" })).status).toBe(202);
    expect((await send(undefined, { "mcp-session-id": session }, "DELETE")).status).toBe(405);
    await vi.waitFor(async () => {
      const { evidence } = await read(runSchema, `/api/v1/runs/${runId}`);
      expect(evidence.connectors).toEqual([{ name, calls: 1, failed: 0, changes: 0 }]);
    });
    const uses = await api<{ data: object[] }>("GET", "/api/v1/secrets/MCP_TOKEN/uses");
    expect(uses.body.data[0]).toMatchObject({ run_id: runId, variables: ["authorization"] });
  });

  it.each<[string, object, string[], string[]]>([
    ["all of them", {}, ["list_issues", "create_issue", "delete_issue"], []],
    [
      "those that are allowed",
      { allow: ["*_issue"], deny: ["delete_*"] },
      ["create_issue"],
      ["list_issues", "delete_issue"],
    ],
    ["those that change nothing", { read_only: true }, ["list_issues"], ["create_issue", "delete_issue", "unknown"]],
    ["none", { allow: [] }, [], ["list_issues"]],
  ])("lists, and has called, the tools that the routine leaves: %s", async (_which, rules, allowed, refused) => {
    const { send, server, notices } = await begin(rules);
    const listed = await (await send(request("tools/list"))).json<{ result: { tools: { name: string }[] } }>();
    expect(listed.result.tools.map(({ name }) => name)).toEqual(allowed);
    for (const tool of allowed) expect(await (await send(callOf(tool))).text()).toContain(`called ${tool}`);
    server.messages.length = 0;
    for (const tool of refused) {
      const { error } = await (await send(callOf(tool))).json<{ error: { message: string } }>();
      expect(error.message).toContain(`The tool ${tool} of the connector`);
    }
    const list = await send([request("ping"), callOf(refused[0] ?? "list_issues")]);
    if (refused.length > 0) expect(await list.json()).toMatchObject([{ error: {} }, { error: {} }]);
    expect(server.messages.filter(({ method }) => method === "tools/call")).toEqual([]);
    // The list is refused in the words of the one.
    await vi.waitFor(async () => expect((await notices()).length).toBe(refused.length));
  });

  it("has no tool called by a header that says otherwise than the body", async () => {
    const { send, server } = await begin({ allow: ["list_issues"] });
    const answer = await send(callOf("list_issues"), { "mcp-method": "tools/call", "mcp-name": "delete_issue" });
    expect([answer.status, server.messages]).toEqual([400, []]);
    expect((await send("[1, 2")).status).toBe(400);
    const doubled =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_issue","name":"list_issues"}}';
    expect((await send(doubled)).status).toBe(200);
    expect(bed.asked.at(-1)?.text).not.toContain("delete_issue");
  });

  it("streams messages, lists no tool in them that is not allowed, and declines what nobody answers", async () => {
    const { send, server, notices } = await begin({ deny: ["delete_issue"] });
    const progress = { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 5 } };
    const image = { type: "image", data: "AAAA", mimeType: "image/png" };
    server.instead = (_request, { method }) =>
      method === "tools/call"
        ? stream(
            event(progress),
            ": a comment\n\n",
            event({ jsonrpc: "2.0", id: "s1", method: "elicitation/create", params: { message: "Your password?" } }),
            event({ jsonrpc: "2.0", id: "s2", method: "sampling/createMessage", params: {} }),
            event({ jsonrpc: "2.0", id: 9, result: { tools: [{ name: "delete_issue" }, { name: "list_issues" }] } }),
            event({ jsonrpc: "2.0", id: 1, result: { content: [image] } }),
          )
        : null;
    const answer = await send(callOf("list_issues"));
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    const said = await answer.text();
    const told = [...said.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data));
    expect(told).toEqual([
      progress,
      { jsonrpc: "2.0", id: 9, result: { tools: [{ name: "list_issues" }] } },
      { jsonrpc: "2.0", id: 1, result: { content: [image] } },
    ]);
    expect(said).toContain("id: 7\n");
    await vi.waitFor(() => {
      const answers = server.messages.filter(({ method }) => method === undefined);
      expect(answers).toMatchObject([
        { id: "s1", result: { action: "decline" } },
        { id: "s2", error: { code: -32_601 } },
      ]);
    });
    expect((await notices()).map(({ code, message }) => [code, message])).toEqual([
      ["connector_declined", expect.stringContaining("to ask a person")],
      ["connector_declined", expect.stringContaining("to use the agent's model")],
    ]);
  });

  it.each<[string, FakeMcp["instead"], string, RegExp]>([
    [
      "refuses the credential",
      () => new Response(null, { status: 401 }),
      "needs_login",
      /needs a login: its server refuses the credential/,
    ],
    ["fails", () => new Response("oops", { status: 500 }), "unreachable", /can't be used now: its server answered 500/],
    [
      "is a page",
      () => new Response("<html>", { headers: { "content-type": "text/html" } }),
      "unreachable",
      /what MCP does not have: text\/html/,
    ],
    ["is not there", () => Promise.reject(new TypeError("refused")), "unreachable", /could not be reached/],
    [
      "leads inwards",
      () => new Response(null, { status: 308, headers: { location: "https://169.254.169.254/mcp" } }),
      "unreachable",
      /redirects to an address that must name a host of the internet/,
    ],
    [
      "says too much",
      () => Response.json({ jsonrpc: "2.0", id: 1, result: { content: "x".repeat(17_000_000) } }),
      "unreachable",
      /or too much of it/,
    ],
  ])(
    "whose server %s fails its calls in words, is told to the transcript, and shows it",
    async (_how, instead, status, words) => {
      const { send, server, notices, name, runId } = await begin();
      server.instead = instead;
      const { result } = await (await send(callOf("list_issues"))).json<{
        result: { isError: boolean; content: { text: string }[] };
      }>();
      expect([result.isError, result.content[0]?.text]).toEqual([true, expect.stringMatching(words)]);
      expect(await (await send(request("resources/list"))).json()).toMatchObject({
        error: { message: expect.stringMatching(words) },
      });
      await vi.waitFor(async () => {
        expect(await notices()).toEqual([{ code: `connector_${status}`, message: expect.stringMatching(words) }]);
        expect((await api<Connector>("GET", `/api/v1/connectors/${name}`)).body).toMatchObject({ status });
        const { evidence } = await read(runSchema, `/api/v1/runs/${runId}`);
        expect(evidence.connectors).toEqual([{ name, calls: 1, failed: 1, changes: 0 }]);
      });
    },
  );

  it("that is down when the agent begins is there all the same, with the tools that are known of it, and says so in each call", async () => {
    const { send, server } = await begin({ deny: ["delete_issue"] });
    server.instead = () => new Response(null, { status: 503 });
    expect(await (await send(request("server/discover"))).json()).toMatchObject({ error: { code: -32_601 } });
    const begun = await send(initialize);
    expect(await begun.json()).toMatchObject({
      result: {
        protocolVersion: "2025-06-18",
        capabilities: { tools: {} },
        instructions: expect.stringContaining("answered 503"),
      },
    });
    const session = { "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" };
    server.instead = () => null;
    const listed = await (await send(request("tools/list"), session)).json<{ result: { tools: { name: string }[] } }>();
    expect(listed.result.tools.map(({ name }) => name)).toEqual(["list_issues", "create_issue"]);
    const failed = await (await send(callOf("list_issues"), session)).json();
    expect(failed).toMatchObject({
      result: { isError: true, content: [{ text: expect.stringContaining("could not be used") }] },
    });
    expect((await send(undefined, session, "GET")).status).toBe(405);
    expect((await send(undefined, session, "DELETE")).status).toBe(204);
  });

  it("opens no session of another run, nor one that was made up, and none of its servers to a routine without it", async () => {
    const [one, other] = [await begin(), await begin()];
    const begun = await one.send(initialize);
    const session = begun.headers.get("mcp-session-id") ?? "";
    bed.asked = [];
    for (const id of [session, "made-up", `${"0".repeat(64)}.AAAA`]) {
      expect((await other.send(callOf("list_issues"), { "mcp-session-id": id })).status).toBe(404);
    }
    expect((await one.send(callOf("list_issues"), { "mcp-session-id": session })).status).toBe(200);
    expect((await other.proxy(`/mcp/${one.name}`, { method: "POST", body: initialize })).status).toBe(403);
    expect(
      (await one.proxy(`/mcp/${one.name}`, { method: "POST", body: initialize, token: other.offer.proxy_token }))
        .status,
    ).toBe(401);
    expect(bed.asked.length).toBe(1);
  });

  it("is called with the token of its login, which is renewed on the way, and says so where its server refuses it", async () => {
    const oauth = new FakeOauth();
    const { send, name, connector, notices } = await begin({}, oauth.mcp, { type: "oauth" });
    bed.upstream = ({ url, method, headers, text }) =>
      oauth.answer(new Request(url, { method, headers, body: method === "GET" ? null : text }));
    const begun = await exports.default.fetch(
      new Request(`${REVEILLE}/api/v1/connectors/${connector.id}/login`, {
        method: "POST",
        headers: { authorization: `Bearer ${OWNER_TOKEN}` },
      }),
    );
    const { authorization_url } = await begun.json<BegunLogin>();
    expect(await comeBack(await oauth.allow(authorization_url))).toEqual([200, expect.any(String)]);
    expect(await (await send(callOf("list_issues"))).text()).toContain("called list_issues");
    oauth.forget("token");
    const both = await Promise.all([1, 2].map(async () => (await send(callOf("list_issues"))).text()));
    for (const text of both) expect(text).toContain("called list_issues");
    expect(oauth.renewals).toBe(1);
    oauth.forget("token");
    oauth.forget("grant");
    const answer = await (await send(callOf("list_issues"))).text();
    expect(answer).toContain("needs a login: its server refuses the login: it answered 401.");
    await vi.waitFor(async () => {
      expect((await notices()).map(({ code }) => code)).toContain("connector_needs_login");
      const { body } = await api<Connector>("GET", `/api/v1/connectors/${name}`);
      expect(body).toMatchObject({ status: "needs_login" });
    });
  });

  it("is followed where it keeps the method and the origin, and what it was sent goes to no other", async () => {
    const { send, server } = await begin();
    const elsewhere = (location: string) => new Response(null, { status: 307, headers: { location } });
    server.instead = ({ url }) => (url === MCP_URL ? elsewhere("/v2/mcp") : null);
    expect(await (await send(callOf("list_issues"))).text()).toContain("called list_issues");
    server.instead = ({ url }) => (url === MCP_URL ? elsewhere("https://other.acme.dev/mcp") : null);
    expect(await (await send(callOf("list_issues"))).text()).toContain("has moved to https://other.acme.dev");
    expect(bed.asked.map(({ url }) => url)).toEqual([MCP_URL, "https://mcp.acme.dev/v2/mcp", MCP_URL]);
  });

  it("whose answer is long in coming is told to be on, and one that has stopped in the middle is given up", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    try {
      const come = Promise.withResolvers<ServerAnswer>();
      const begun = new TransformStream<Uint8Array, Uint8Array>();
      const { stream: told, done } = eventAnswer(come.promise, {
        filter: (value) => [value],
        waiting: [{ id: 1, method: "tools/call" }],
        inWords: (words, waiting) => waiting.map(({ id }) => ({ id, words })),
        onEnd: () => {},
        signal: new AbortController().signal,
        lastsMs: 3_600_000,
        silentMs: 900_000,
      });
      const text = new Response(told).text();
      await vi.advanceTimersByTimeAsync(600_000);
      come.resolve({ kind: "events", body: begun.readable, session: null });
      const writer = begun.writable.getWriter();
      await writer.write(new TextEncoder().encode(event({ jsonrpc: "2.0", method: "notifications/progress" })));
      for (let minutes = 0; minutes < 16; minutes += 1) await vi.advanceTimersByTimeAsync(60_000);
      await done;
      expect((await text).match(/: still on/g)?.length).toBeGreaterThan(40);
      expect(await text).toContain('data: {"id":1,"words":"was silent for 15 minutes."}');
    } finally {
      vi.useRealTimers();
    }
  });
});
