/** An MCP server that wants a login, and its authorization server: Cloudflare's own provider, over a store in memory. */
import { exports } from "cloudflare:workers";
import { OAuthProvider } from "@cloudflare/workers-oauth-provider";
import { OWNER_TOKEN } from "./api.ts";
import { FakeMcp, MCP_URL } from "./fake-mcp.ts";

export const REVEILLE = "https://reveille.acme.dev";
const OWNER = { authorization: `Bearer ${OWNER_TOKEN}` };
const AUTHORIZE = "/authorize";
const TOKEN = "/oauth/token";

export interface OauthSettings {
  hasRegistration?: boolean;
  hasDocuments?: boolean;
  /** In seconds. */
  lasts?: number;
  scopes?: string[];
}

/** The browser comes back from the authorization server, and the page sends it on. @returns the status, and the text or where that leads. */
export async function comeBack(at: URL, headers: Record<string, string> = OWNER): Promise<[number, string]> {
  const first = await exports.default.fetch(new Request(at));
  const [, next = ""] = /url=([^"]+)"/.exec(await first.text()) ?? [];
  const end = new Request(new URL(next.replaceAll("&amp;", "&"), at), { headers, redirect: "manual" });
  const answer = await exports.default.fetch(end);
  return [answer.status, answer.headers.get("location") ?? (await answer.text())];
}

/** An authorization server that says something else of itself. */
export function withMetadata(change: object): FakeOauth["instead"] {
  return async (request, answer) => {
    if (!request.url.includes("/.well-known/oauth-authorization-server")) return await answer();
    return Response.json({ ...(await (await answer()).json<object>()), ...change });
  };
}

export class FakeOauth {
  readonly mcp = new FakeMcp();
  readonly stored = new Map<string, string>();
  /** Bodies of requests for tokens. */
  readonly grants: URLSearchParams[] = [];
  /** Tokens that came to the MCP server. */
  readonly tokens = new Set<string>();
  /** In place of the answer that there would be. */
  instead: (request: Request, answer: () => Promise<Response>) => Promise<Response> = (_request, answer) => answer();
  readonly #provider: OAuthProvider<Cloudflare.Env>;
  readonly #given: string[] = [];

  constructor({
    hasRegistration = true,
    hasDocuments = false,
    lasts = 3_600,
    scopes = ["mcp:read"],
  }: OauthSettings = {}) {
    this.#provider = new OAuthProvider<Cloudflare.Env>({
      apiRoute: "/mcp",
      apiHandler: { fetch: (request: Request) => this.#asMcp(request) } as ExportedHandler<Cloudflare.Env> & {
        fetch(request: Request): Promise<Response>;
      },
      defaultHandler: { fetch: (request: Request, env: unknown) => this.#allow(request, env) } as ExportedHandler,
      authorizeEndpoint: AUTHORIZE,
      tokenEndpoint: TOKEN,
      ...(hasRegistration ? { clientRegistrationEndpoint: "/oauth/register" } : {}),
      clientIdMetadataDocumentEnabled: hasDocuments,
      accessTokenTTL: lasts,
      scopesSupported: [...scopes, "mcp:write", "offline_access"],
      resourceMetadata: { resource: MCP_URL, authorization_servers: [new URL(MCP_URL).origin] },
      requiredScopes: scopes,
    });
  }

  /** Whatever is asked of the internet: the provider, or the instance's own document. */
  readonly answer = async (request: Request): Promise<Response> => {
    if (request.url.startsWith(REVEILLE)) return await exports.default.fetch(request);
    if (new URL(request.url).pathname === TOKEN) {
      this.grants.push(new URLSearchParams(await request.clone().text()));
    }
    return await this.instead(request, () => this.ask(request));
  };

  /** Without what a test has put in its place. */
  async ask(request: Request): Promise<Response> {
    const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };
    const answer = await this.#provider.fetch(request, this.#env as never, context as unknown as ExecutionContext);
    if (new URL(request.url).pathname === TOKEN && answer.ok) {
      const { refresh_token } = await answer
        .clone()
        .json<{ refresh_token?: string }>()
        .catch(() => ({ refresh_token: undefined }));
      if (refresh_token !== undefined) this.#given.push(refresh_token);
    }
    return answer;
  }

  /** Opens what a login has begun with, allows it, and gives the address to which the browser is sent back. */
  async allow(authorizationUrl: string): Promise<URL> {
    const answer = await this.ask(new Request(authorizationUrl, { redirect: "manual" }));
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`${answer.status}: ${await answer.text()}`);
    return new URL(location);
  }

  /** As a person does who registers the instance by hand. */
  async register(client: object): Promise<{ client_id: string; client_secret: string }> {
    const about = { client_name: "by hand", redirect_uris: [`${REVEILLE}/oauth/callback`], ...client };
    const headers = { "content-type": "application/json" };
    const address = `${new URL(MCP_URL).origin}/oauth/register`;
    const answer = await this.ask(new Request(address, { method: "POST", headers, body: JSON.stringify(about) }));
    return await answer.json();
  }

  /** As somebody does who ends access tokens, or all that was allowed. */
  forget(what: "token" | "grant"): void {
    for (const key of [...this.stored.keys()]) if (key.startsWith(`${what}:`)) this.stored.delete(key);
  }

  /** Those that it has given, in order. */
  refreshTokens(): string[] {
    return this.#given;
  }

  /** What it was asked to revoke. */
  get revocations(): URLSearchParams[] {
    return this.grants.filter((grant) => grant.get("token") !== null);
  }

  get renewals(): number {
    return this.grants.filter((grant) => grant.get("grant_type") === "refresh_token").length;
  }

  readonly #env = {
    OAUTH_KV: {
      get: async (key: string, as?: { type?: string }) => {
        const text = this.stored.get(key) ?? null;
        return text !== null && as?.type === "json" ? JSON.parse(text) : text;
      },
      put: async (key: string, value: string) => void this.stored.set(key, value),
      delete: async (key: string) => void this.stored.delete(key),
      list: async ({ prefix = "" }: { prefix?: string }) => ({
        keys: [...this.stored.keys()].filter((key) => key.startsWith(prefix)).map((name) => ({ name })),
        list_complete: true,
      }),
    },
  };

  async #asMcp(request: Request): Promise<Response> {
    this.tokens.add(request.headers.get("authorization")?.replace("Bearer ", "") ?? "");
    const { method, url, headers } = request;
    const body = new Uint8Array(await request.arrayBuffer());
    return await this.mcp.answer({ method, url, headers, body, text: new TextDecoder().decode(body) });
  }

  async #allow(request: Request, env: unknown): Promise<Response> {
    if (new URL(request.url).pathname !== AUTHORIZE) return new Response(null, { status: 404 });
    const { OAUTH_PROVIDER: helpers } = env as {
      OAUTH_PROVIDER: import("@cloudflare/workers-oauth-provider").OAuthHelpers;
    };
    const asked = await helpers.parseAuthRequest(request);
    const { redirectTo } = await helpers.completeAuthorization({
      request: asked,
      userId: "ada",
      metadata: {},
      scope: asked.scope,
      props: {},
    });
    return new Response(null, { status: 302, headers: { location: redirectTo } });
  }
}
