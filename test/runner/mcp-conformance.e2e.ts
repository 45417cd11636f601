/** The suite that the protocol's authors keep, on the SDK's client behind the worker's proxy, and on the worker's own logins. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConnectorBed, startServer } from "./support/connector-bed.ts";

const SUITE = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
/** At the end of a folder's name. */
const STAMP = /-\d{4}-\d{2}-\d{2}T[\d-]+Z$/;
const CLIENT = "test/runner/support/conformance-client.ts";
/** At which the suite's authorization servers take a document of a client's. */
const DOCUMENT_HOST = "https://conformance-test.local";

interface Scenario {
  scenario: string;
  url: string;
  version: string | null;
  context: { client_id?: string; client_secret?: string; toolCalls?: ToolCall[] };
}
interface ToolCall {
  name: string;
  arguments?: Record<string, unknown>;
}
interface Check {
  id: string;
  status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
}

describe("connectors", () => {
  let bed: ConnectorBed;
  let door: Server;
  const folder = mkdtempSync(join(tmpdir(), "reveille-conformance-"));

  beforeAll(async () => {
    bed = await ConnectorBed.start();
    door = createServer(async (request, response) => {
      let text = "";
      for await (const chunk of request) text += chunk;
      try {
        await play(bed, JSON.parse(text));
        response.end();
      } catch (error) {
        response.writeHead(500).end(error instanceof Error ? `${error.message}\n${error.stack}` : String(error));
      }
    }).listen(0, "127.0.0.1");
    await once(door, "listening");
  });
  afterAll(async () => {
    door.closeAllConnections();
    door.close();
    await bed.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("fail of the suite's scenarios of clients what is listed here, and nothing else", async () => {
    const { port } = door.address() as AddressInfo;
    const command = `${process.execPath} --disable-warning=ExperimentalWarning ${CLIENT} http://127.0.0.1:${port}/`;
    const found = await run(folder, ["client", "--command", command, "--suite", "all", "--timeout", "25000"]);
    const failed = [...found].filter(([, checks]) => checks.length > 0);
    expect(Object.fromEntries(failed)).toEqual(NOT_KEPT);
    expect(found.size).toBeGreaterThan(45);
  });

  it.each(SERVERS)(
    "answer the suite's scenarios of servers as %s does without the proxy",
    async (server, given, kept) => {
      const started = await startServer(server, given);
      const name = await bed.make(started.url);
      const way = await startWay(await bed.addressOf(name));
      const look = (url: string, into: string) =>
        run(join(folder, into), ["server", "--url", url, "--suite", "all", "--timeout", "10000"]);
      const straight = await look(started.url, `straight-${name}`);
      const behind = await look(way.url, `behind-${name}`);
      started.close();
      way.close();
      const differs = [...straight].filter(([scenario, checks]) => `${behind.get(scenario)}` !== `${checks}`);
      expect(differs).toEqual([]);
      expect(behind.size).toBe(straight.size);
      // Most want tools that only the suite's own server has; these it has looked at.
      const passed = [...behind].filter(([, checks]) => checks.length === 0).map(([scenario]) => scenario);
      expect(passed).toEqual(expect.arrayContaining(kept.map((scenario) => `server-${scenario}`)));
    },
  );

  it("have the resources of a server listed and read", async () => {
    const started = await startServer(WITH_PAGE);
    const client = await bed.client(await bed.make(started.url));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["get-time"]);
    expect(await client.callTool({ name: "get-time" })).toMatchObject({ content: [{ type: "text" }] });
    const { resources } = await client.listResources();
    const { contents } = await client.readResource({ uri: resources[0]?.uri ?? "" });
    expect(contents[0]).toMatchObject({
      mimeType: expect.stringContaining("text/html"),
      text: expect.stringContaining("<html"),
    });
    await client.close();
    started.close();
  });
});

const PACKAGES = "node_modules/@modelcontextprotocol";
const EVERYTHING = `${PACKAGES}/server-everything/dist/index.js`;
/** Made with the second version of the SDK: what it shows is a resource. */
const WITH_PAGE = `${PACKAGES}/server-basic-vanillajs/dist/index.js`;
const COMMON = ["server-initialize", "ping", "tools-list", "resources-list"];
const SERVERS: [string, string[], string[]][] = [
  [
    EVERYTHING,
    ["streamableHttp"],
    [
      ...COMMON,
      "prompts-list",
      "logging-set-level",
      "resources-subscribe",
      "resources-unsubscribe",
      "server-sse-multiple-streams",
    ],
  ],
  [WITH_PAGE, [], [...COMMON, "server-session-lifecycle"]],
];

/** As the relay of a runner's: an address that needs no more than to be asked. */
async function startWay({ url, token }: { url: URL; token: string }): Promise<{ url: string; close(): void }> {
  const way = createServer((incoming, response) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` };
    const forward = request(url, { method: incoming.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    forward.on("error", () => response.destroy());
    response.once("close", () => forward.destroy());
    incoming.pipe(forward);
  }).listen(0, "127.0.0.1");
  await once(way, "listening");
  return {
    url: `http://127.0.0.1:${(way.address() as AddressInfo).port}/mcp`,
    close: () => {
      way.closeAllConnections();
      way.close();
    },
  };
}

/** Checks that fail, by scenario, in groups by their reason. */
const NOT_KEPT: Record<string, unknown> = {
  // Runs are unattended: a server's question to a person is declined, and what wants more input is a failed call.
  "elicitation-sep1034-client-defaults": [
    "client-elicitation-sep1034-general",
    ...["string", "integer", "number", "enum", "boolean"].map((type) => `client-elicitation-sep1034-${type}-default`),
  ],
  "sep-2322-client-request-state": [
    "sep-2322-client-request-state-echoed",
    "sep-2322-client-jsonrpc-id-different",
    "sep-2322-client-no-state-omitted",
  ],
  // Without metadata nobody says that PKCE is taken, and nobody logs in.
  "auth/2025-03-26-oauth-endpoint-fallback": ["client-registration", "authorization-request", "token-request"],
  // An instance's document is at /oauth/client.json; the suite has one address of its own for all that it looks at.
  "auth/basic-cimd": ["cimd-client-id-used"],
  // Extensions that connectors do not have: a person logs in, and tokens are bearer tokens.
  "auth/client-credentials-basic": ["client-credentials-grant-type", "client-credentials-basic-auth"],
  "auth/client-credentials-jwt": ["client-credentials-grant-type", "client-credentials-jwt-verified"],
  "auth/enterprise-managed-authorization": ["complete-flow-token-exchange", "complete-flow-jwt-bearer"],
  "auth/wif-jwt-bearer": ["wif-grant-type"],
  "auth/dpop": [
    "sep-1932-client-token-request-proof",
    "sep-1932-client-dpop-auth-scheme",
    "sep-1932-client-fresh-proof",
  ],
  "auth/dpop-nonce": [
    "sep-1932-client-token-request-proof",
    "sep-1932-client-dpop-auth-scheme",
    "sep-1932-client-fresh-proof",
    "sep-1932-client-as-nonce",
    "sep-1932-client-rs-nonce",
  ],
};

/** @returns what has failed, by scenario. */
async function run(folder: string, given: string[]): Promise<Map<string, string[]>> {
  const suite = spawn(process.execPath, [SUITE, ...given, "-o", folder], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const out of [suite.stdout, suite.stderr])
    out.on("data", (chunk) => {
      said += chunk;
    });
  await once(suite, "close");
  const found = new Map<string, string[]>();
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith("checks.json")) continue;
    const checks: Check[] = JSON.parse(readFileSync(join(folder, file), "utf8"));
    const failed = checks.filter(({ status }) => status === "FAILURE" || status === "WARNING");
    found.set(
      dirname(file).replace(STAMP, ""),
      failed.map(({ id }) => id),
    );
  }
  if (found.size === 0) throw new Error(said.slice(-3000));
  return found;
}

async function play(bed: ConnectorBed, { scenario, url, version, context }: Scenario): Promise<void> {
  const isAuth = scenario.startsWith("auth/");
  const { client_id, client_secret } = context;
  const secret = `SECRET_${scenario.replaceAll(/\W/g, "_").toUpperCase()}`;
  if (client_secret !== undefined) bed.secrets.set(secret, client_secret);
  const given =
    client_id === undefined
      ? {}
      : { client_id, ...(client_secret === undefined ? {} : { client_secret: `{{${secret}}}` }) };
  const name = await bed.make(url, isAuth ? { type: "oauth", ...given } : { type: "none" });
  const base = scenario === "auth/basic-cimd" ? DOCUMENT_HOST : undefined;
  if (isAuth) await bed.logIn(name, base);
  const mode = version === "2026-07-28" ? { pin: version } : "auto";
  const client = await bed.client(name, { versionNegotiation: { mode } });
  try {
    await use(client, context, async () => bed.logIn(name, base));
  } finally {
    await client.close();
  }
}

/** Everything that the server has, once; a person logs in again where the connector's words say so. */
async function use(client: Client, { toolCalls }: Scenario["context"], logIn: () => Promise<void>): Promise<void> {
  const { tools = [] } =
    client.getServerCapabilities()?.tools === undefined ? {} : await again(logIn, () => client.listTools());
  const [schema] = tools.map(({ inputSchema }) => inputSchema);
  const calls = tools.map(({ name }): ToolCall => ({ name, arguments: { a: 1, b: 2, schema } }));
  for (const call of toolCalls ?? calls) await again(logIn, () => client.callTool(call));
  const { resources, prompts } = client.getServerCapabilities() ?? {};
  if (resources !== undefined)
    for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
  if (prompts !== undefined)
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
}

const LOGINS_AT_MOST = 2;

async function again<Value>(logIn: () => Promise<void>, ask: () => Promise<Value>): Promise<Value> {
  for (let logins = 0; ; logins += 1) {
    const got = await ask().catch((error: Error) => error);
    const wantsLogin = (got instanceof Error ? got.message : JSON.stringify(got)).includes("Log in again");
    if (!wantsLogin || logins === LOGINS_AT_MOST) {
      if (got instanceof Error) throw got;
      return got;
    }
    await logIn();
  }
}
