/**
 * An MCP server of issues for the suite: one address that wants a login, whose authorization server is `oidc-provider`, and one
 * that wants a token. It is at an address of another site than the instance's, as a real one is: a browser keeps cookies apart.
 */
import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import Provider, { type Adapter, type AdapterPayload } from "oidc-provider";
import { z } from "zod";
import { drawFreePort } from "#scripts/instance/ports.ts";

/** What a stranger may write into a description. */
export const HOSTILE_DESCRIPTION =
  'Makes an issue. <img src=x onerror=alert(1)> [Read this](https://elsewhere.example) <a href="https://elsewhere.example">now</a>';

const LOGIN_PATH = "/mcp";
const TOKEN_PATH = "/with-token/mcp";

export class IssuesServer {
  readonly origin: string;
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #provider: Provider;
  /** What its tools tell of. */
  issues: { id: string; title: string }[] = [{ id: "ENG-1", title: "Crash at start" }];

  readonly #port: number;

  /** Those that it would take; the instance asks for new tokens with them. */
  readonly refreshTokens = new Map<string, AdapterPayload>();
  /** Whether its tools answer nobody. */
  isDown = false;

  private constructor(port: number) {
    this.#port = port;
    this.origin = `http://127.0.0.1:${port}`;
    this.#provider = providerAt(this.origin, this.url, this.refreshTokens);
  }

  static async start(): Promise<IssuesServer> {
    const server = new IssuesServer(await drawFreePort());
    await new Promise<void>((resolve) => server.#server.listen(server.#port, "127.0.0.1", resolve));
    return server;
  }

  /** Where a login is wanted. */
  get url(): string {
    return `${this.origin}${LOGIN_PATH}`;
  }

  /** Where any token will do. */
  get urlWithToken(): string {
    return `${this.origin}${TOKEN_PATH}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", this.origin);
    try {
      if (pathname === `/.well-known/oauth-protected-resource${LOGIN_PATH}`)
        return json(response, {
          resource: this.url,
          authorization_servers: [this.origin],
          scopes_supported: ["issues:read"],
        });
      if (pathname === LOGIN_PATH || pathname === TOKEN_PATH) return await this.#mcp(request, response, pathname);
      if (pathname.startsWith("/interaction/")) return await this.#interaction(request, response);
      this.#provider.callback()(request, response);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  }

  async #mcp(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (this.isDown) return void response.writeHead(503).end();
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
    const isGood =
      token !== undefined && (path === TOKEN_PATH || (await this.#provider.AccessToken.find(token))?.aud === this.url);
    if (!isGood) {
      const metadata = `${this.origin}/.well-known/oauth-protected-resource${LOGIN_PATH}`;
      response.writeHead(401, {
        "www-authenticate": path === TOKEN_PATH ? "Bearer" : `Bearer resource_metadata="${metadata}"`,
      });
      response.end();
      return;
    }
    const server = this.#tools();
    // Without sessions: each request is answered by a server of its own.
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    response.on("close", () => void server.close());
    await server.connect(transport as Parameters<McpServer["connect"]>[0]);
    await transport.handleRequest(request, response);
  }

  #tools(): McpServer {
    const server = new McpServer({ name: "Issues", version: "1.0.0" });
    server.registerTool(
      "list_issues",
      {
        description: "Lists issues.",
        inputSchema: { state: z.string().optional() },
        annotations: { readOnlyHint: true },
      },
      () => ({ content: [{ type: "text", text: JSON.stringify({ issues: this.issues }) }] }),
    );
    server.registerTool(
      "create_issue",
      { description: HOSTILE_DESCRIPTION, inputSchema: { title: z.string() } },
      () => ({
        content: [{ type: "text", text: "made" }],
      }),
    );
    return server;
  }

  /** Somebody is asked whether they allow it, on one page for who they are and what they allow. */
  async #interaction(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const provider = this.#provider;
    const { params } = await provider.interactionDetails(request, response);
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      response.end(ASK);
      return;
    }
    if (request.url?.endsWith("/deny") === true)
      return await provider.interactionFinished(request, response, { error: "access_denied" });
    const accountId = "ada";
    const grant = new provider.Grant({ accountId, clientId: String(params["client_id"]) });
    grant.addOIDCScope("offline_access");
    grant.addResourceScope(this.url, "issues:read");
    const grantId = await grant.save();
    await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId } });
  }
}

const ASK = `<!doctype html><html lang="en"><title>Issues</title><h1>May Reveille read issues?</h1>
<form method="post"><button>Allow</button> <button formaction="deny">Deny</button></form></html>`;

function providerAt(origin: string, resource: string, refreshTokens: Map<string, AdapterPayload>): Provider {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return new Provider(origin, {
    adapter: (name) => inMemory(name === "RefreshToken" ? refreshTokens : new Map()),
    cookies: { keys: ["of the suite"] },
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" }] as never },
    scopes: ["offline_access"],
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}/` },
    issueRefreshToken: () => true,
    ttl: { Interaction: 600, Grant: 3_600, Session: 3_600, AccessToken: 3_600, RefreshToken: 3_600 },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "issues:read",
          audience: resource,
          accessTokenFormat: "opaque",
          accessTokenTTL: 3_600,
        }),
      },
    },
  });
}

function inMemory(kept: Map<string, AdapterPayload>): Adapter {
  return {
    upsert: async (id, payload) => void kept.set(id, payload),
    find: async (id) => kept.get(id),
    findByUserCode: async () => undefined,
    findByUid: async (uid) => kept.values().find((one) => one.uid === uid),
    consume: async (id) => void kept.set(id, { ...kept.get(id), consumed: 1 }),
    destroy: async (id) => void kept.delete(id),
    revokeByGrantId: async (grantId) => {
      for (const [id, one] of kept) if (one.grantId === grantId) kept.delete(id);
    },
  };
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
