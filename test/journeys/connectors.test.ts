/** Connectors: how they are made, looked at, changed and deleted, and what routines that name them are told. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Connector } from "#protocol/connector.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call, fired } from "#test/support/api.ts";
import { FakeMcp, MCP_URL } from "#test/support/fake-mcp.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { listen } from "#test/support/log-lines.ts";

const ALL = "/api/v1/connectors";
const OWNER = { kind: "owner", id: null, name: "owner" };
const TOKEN = "canary-of-a-connector-0001";
let server = new FakeMcp();
let asked: { url: string; authorization: string | null }[] = [];
let made = 0;

beforeEach(() => {
  server = new FakeMcp();
  asked = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const { method, url, headers } = request;
    asked.push({ url, authorization: headers.get("authorization") });
    const body = new Uint8Array(await request.arrayBuffer());
    return server.answer({ method, url, headers, body, text: new TextDecoder().decode(body) });
  });
});
afterEach(() => void vi.restoreAllMocks());

async function make(input: Record<string, unknown> = {}): Promise<Connector & { path: string }> {
  made += 1;
  const { status, body } = await call<Connector>("POST", ALL, { name: `mcp-${made}`, url: MCP_URL, ...input });
  expect([status, body]).toEqual([201, expect.anything()]);
  return { ...body, path: `${ALL}/${body.id}` };
}

/** The server answers otherwise from now on. */
function answers(instead: FakeMcp["instead"]): void {
  server.instead = instead;
}

const codeOf = ({ status, body }: { status: number; body: ErrorBody }) => [status, body.error.details?.code];
const keep = (name: string, more: object = {}) => call("PUT", `/api/v1/secrets/${name}`, { value: TOKEN, ...more });

describe("a connector", () => {
  it("is made with what its server tells, read by id and by name, listed, and changed key by key", async () => {
    const first = await make();
    expect(first).toMatchObject({
      ...{ url: MCP_URL, auth: { type: "none" }, status: "ready", status_detail: null, revision: 1 },
      ...{ created_by: OWNER, last_used_at: null, server: { name: "acme", version: "7", protocol: "2025-06-18" } },
      tools: [
        { name: "list_issues", description: "List issues.", read_only: true },
        { name: "create_issue", description: "", read_only: false },
        { name: "delete_issue", description: "", read_only: false },
      ],
    });
    const { path, ...shown } = first;
    expect((await call("GET", path)).body).toEqual(shown);
    expect((await call("GET", `${ALL}/${first.name}`)).body).toEqual(shown);
    const second = await make();
    const page = await call<Page<Connector>>("GET", `${ALL}?limit=1`);
    expect(page.body.data.map(({ name }) => name)).toEqual([second.name]);
    const next = await call<Page<Connector>>("GET", `${ALL}?limit=1&cursor=${page.body.next_cursor}`);
    expect(next.body.data.map(({ name }) => name)).toEqual([first.name]);

    asked = [];
    const renamed = await call<Connector>("PATCH", path, { name: `${first.name}-new`, if_revision: 1 });
    expect(renamed).toMatchObject({ status: 200, body: { name: `${first.name}-new`, revision: 2, status: "ready" } });
    expect(asked).toEqual([]);
    expect(codeOf(await call("PATCH", path, { url: MCP_URL, if_revision: 1 }))).toEqual([409, "revision_conflict"]);
    expect(codeOf(await call("PATCH", path, { name: second.name }))).toEqual([409, "connector_exists"]);
    expect(codeOf(await call("POST", ALL, { name: second.name, url: MCP_URL }))).toEqual([409, "connector_exists"]);
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("GET", path)).status).toBe(404);
  });

  it.each<[string, object, string]>([
    ["a name of the instance's own", { name: "github" }, "name"],
    ["an address of this machine", { url: "http://127.0.0.1:3001/mcp" }, "url"],
    ["an address of a private network", { url: "https://10.0.0.1/mcp" }, "url"],
    ["a token that is written out", { auth: { type: "bearer", token: TOKEN } }, "auth.token"],
    ["headers without a secret", { auth: { type: "header", headers: { "X-Api-Key": "plain" } } }, "auth.headers"],
    [
      "a header of the transport's",
      { auth: { type: "header", headers: { "Mcp-Session-Id": "{{A}}" } } },
      "auth.headers.Mcp-Session-Id",
    ],
    [
      "an OAuth client's secret that is written out",
      { auth: { type: "oauth", client_id: "a", client_secret: TOKEN } },
      "auth.client_secret",
    ],
    ["the secret of no OAuth client", { auth: { type: "oauth", client_secret: "{{A}}" } }, "auth.client_secret"],
  ])("is refused with %s", async (_what, input, field) => {
    const refused = await call<ErrorBody>("POST", ALL, { name: "refused", url: MCP_URL, ...input });
    expect([refused.status, refused.body.error.details?.issues?.map((issue) => issue.field)]).toEqual([400, [field]]);
    expect(JSON.stringify(refused.body)).not.toContain(TOKEN);
    expect(asked).toEqual([]);
  });

  it("signs in with its secret, which is shown nowhere, also where the server quotes it", async () => {
    await keep("ACME_TOKEN");
    server.tools = [{ name: "echo", description: `You sent ${TOKEN}.` }];
    const connector = await make({ auth: { type: "bearer", token: "{{ACME_TOKEN}}" } });
    expect(connector).toMatchObject({ status: "ready", tools: [{ description: "You sent [secret]." }] });
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
    const headers = { "X-Api-Key": "{{ACME_TOKEN}}", "X-Workspace": "acme" };
    const changed = await call<Connector>("PATCH", connector.path, { auth: { type: "header", headers } });
    expect(changed.body).toMatchObject({ status: "ready", auth: { type: "header", headers } });
    const { results } = await env.DB.prepare("SELECT doc, state FROM connectors").all();
    expect(JSON.stringify([changed.body, results])).not.toContain(TOKEN);
  });

  it.each<[string, () => unknown, Record<string, unknown>, [string, RegExp]]>([
    [
      "a secret that there is not",
      () => {},
      { auth: { type: "bearer", token: "{{NO_SUCH}}" } },
      ["needs_login", /NO_SUCH: there is none/],
    ],
    [
      "a secret of another connector's",
      () => keep("OF_ANOTHER", { scope: { connectors: [`con_${"0".repeat(26)}`] } }),
      { auth: { type: "bearer", token: "{{OF_ANOTHER}}" } },
      ["needs_login", /OF_ANOTHER: its scope leaves this use out/],
    ],
    [
      "a secret that would begin another header",
      () => keep("BROKEN", { value: "a\r\nx-evil: b" }),
      { auth: { type: "bearer", token: "{{BROKEN}}" } },
      ["needs_login", /can't stand in a header/],
    ],
    [
      "a server that wants a login",
      () => answers(() => new Response(null, { status: 401 })),
      {},
      ["needs_login", /wants a credential: it answered 401/],
    ],
    [
      "a server that fails",
      () => answers(() => new Response("oops", { status: 500 })),
      {},
      ["unreachable", /no MCP server .*500/],
    ],
    [
      "a page",
      () => answers(() => new Response("<html>", { headers: { "content-type": "text/html" } })),
      {},
      ["unreachable", /no MCP server/],
    ],
    [
      "nobody",
      () => answers(() => Promise.reject(new TypeError("refused"))),
      {},
      ["unreachable", /could not be reached/],
    ],
    [
      "a redirect inwards",
      () => answers(() => new Response(null, { status: 307, headers: { location: "http://169.254.169.254/" } })),
      {},
      ["unreachable", /redirects to an address that must be an https address/],
    ],
  ])("is kept, and says why it is not ready, with %s", async (_what, prepare, input, [status, words]) => {
    await prepare();
    const connector = await make(input);
    expect([connector.status, connector.status_detail]).toEqual([status, expect.stringMatching(words)]);
    server.instead = () => null;
    const again = await call<Connector>("POST", `${connector.path}/check`);
    if (Object.keys(input).length === 0) expect(again.body).toMatchObject({ status: "ready", status_detail: null });
    else expect(again.body.status).toBe(status);
  });

  it("keeps the tools that were seen while its server is down", async () => {
    const { path } = await make();
    server.instead = () => new Response(null, { status: 503 });
    const { body } = await call<Connector>("POST", `${path}/check`);
    expect([body.status, body.tools.length]).toEqual(["unreachable", 3]);
  });

  it("whose row can't be read is left out of the list, and named in the log", async () => {
    const { id } = await make();
    await env.DB.prepare("UPDATE connectors SET doc = '{}' WHERE id = ?1").bind(id).run();
    const log = listen();
    const { body } = await call<Page<Connector>>("GET", ALL);
    expect(body.data.map((connector) => connector.id)).not.toContain(id);
    expect(log.text()).toContain(id);
  });
});

describe("a routine that names connectors", () => {
  it("keeps them as they are written, in each revision, and keeps them from being renamed or deleted", async () => {
    const [one, two] = [await make(), await make()];
    const connectors = [one.name, { name: two.name, tools: { allow: ["list_*"], read_only: true } }];
    const routine = await buildRoutine({ connectors });
    expect(routine).toMatchObject({ connectors, warnings: [] });
    const path = `/api/v1/routines/${routine.id}`;
    expect(await call("PATCH", path, (await call<Routine>("GET", path)).body)).toMatchObject({ status: 200 });
    for (const { path: of } of [one, two]) {
      const refused = await call<ErrorBody>("DELETE", of);
      expect([codeOf(refused), refused.body.error.details?.issues]).toMatchObject([
        [409, "connector_in_use"],
        [{ field: routine.id }],
      ]);
      expect(codeOf(await call("PATCH", of, { name: "other-name" }))).toEqual([409, "connector_in_use"]);
    }
    await call("PATCH", path, { connectors: [] });
    expect((await call("DELETE", one.path)).status).toBe(204);
  });

  it("has the address of each told to its runs' runner, to know them in a repository's .mcp.json", async () => {
    const [one, two] = [await make(), await make({ url: `${MCP_URL}/two` })];
    const routine = await buildRoutine({ connectors: [one.name, { name: two.name }, "no-such"] });
    using runner = await FakeRunner.join({ id: `with-${one.name}` });
    await fired(routine);
    const { order } = await runner.work(await runner.accept());
    const mcp_addresses = { [one.name]: MCP_URL, [two.name]: `${MCP_URL}/two` };
    expect(order).toEqual(expect.objectContaining({ mcp_servers: [one.name, two.name, "no-such"], mcp_addresses }));
  });

  it("is warned of one that there is not, and of one that is not ready", async () => {
    server.instead = () => new Response(null, { status: 401 });
    const { name } = await make();
    const { warnings } = await buildRoutine({ connectors: [name, "no-such"] });
    expect(warnings).toMatchObject([
      { code: "connector_not_ready", field: "connectors[0]", message: expect.stringContaining("needs a login") },
      { code: "unknown_connector", field: "connectors[1]", message: 'there is no connector "no-such"' },
    ]);
  });

  it.each([
    ["one twice", ["a", { name: "a" }], "connectors"],
    ["a key that there is not", [{ name: "a", tools: { only: [] } }], "connectors[0]"],
  ])("is refused with %s", async (_what, connectors, field) => {
    const { status, body } = await call<ErrorBody>("POST", "/api/v1/routines", { name: "x", prompt: "y", connectors });
    expect([status, body.error.details?.issues?.[0]?.field]).toEqual([400, expect.stringContaining(field)]);
  });
});
