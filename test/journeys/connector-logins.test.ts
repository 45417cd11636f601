/** Logins of connectors by OAuth: how they begin, end and are renewed, and what each fault of theirs says. */
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Connector } from "#protocol/connector.ts";
import type { BegunLogin } from "#protocol/connector-oauth.ts";
import type { EncryptAnewStep } from "#protocol/encrypt-anew.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import { call, OWNER_TOKEN } from "#test/support/api.ts";
import { MCP_URL } from "#test/support/fake-mcp.ts";
import { comeBack, FakeOauth, type OauthSettings, REVEILLE, withMetadata } from "#test/support/fake-oauth.ts";
import { scheduled } from "#worker/clock/handlers.ts";

const ALL = "/api/v1/connectors";
let server = new FakeOauth();
let made = 0;

beforeEach(async () => {
  await env.DB.exec("DELETE FROM connector_revocations");
  server = new FakeOauth();
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => server.answer(new Request(input, init)));
});
afterEach(() => void vi.restoreAllMocks());

/** The API at an address that an authorization server can reach. */
function api<Body>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  return call<Body>(method, path, body, headers, (request) =>
    exports.default.fetch(new Request(request.url.replace("http://reveille.test", REVEILLE), request)),
  );
}

async function make(auth: object = {}, settings?: OauthSettings) {
  if (settings !== undefined) server = new FakeOauth(settings);
  made += 1;
  const input = { name: `login-${made}`, url: MCP_URL, auth: { type: "oauth", ...auth } };
  const { status, body } = await api<Connector>("POST", ALL, input);
  expect([status, body]).toEqual([201, expect.anything()]);
  return { ...body, path: `${ALL}/${body.id}` };
}

async function begin(path: string, headers: Record<string, string> = {}): Promise<URL> {
  const { status, body } = await api<BegunLogin>("POST", `${path}/login`, undefined, headers);
  expect([status, body]).toEqual([201, expect.anything()]);
  return new URL(body.authorization_url);
}

async function logIn(path: string): Promise<URL> {
  const asked = await begin(path);
  const [status, text] = await comeBack(await server.allow(asked.href));
  expect([status, text]).toEqual([200, expect.stringContaining("is logged in. This page can be closed.")]);
  return asked;
}

const owed = async () => (await env.DB.prepare("SELECT * FROM connector_revocations").all()).results;
const sweep = (scheduledTime: number) => scheduled({ scheduledTime, cron: "* * * * *", noRetry: () => undefined }, env);

const read = async (path: string) => (await api<Connector>("GET", path)).body;
const check = async (path: string) => (await api<Connector>("POST", `${path}/check`)).body;
const refusal = async (path: string) => {
  const { status, body } = await api<ErrorBody>("POST", `${path}/login`);
  return [status, body.error.details?.code, `${body.error.message} ${body.error.hint}`];
};

describe("a login", () => {
  it("is asked for, begun, allowed and kept, and its tokens are nowhere to be seen", async () => {
    const { path, ...connector } = await make();
    expect(connector).toMatchObject({ status: "needs_login", login: null, tools: [] });
    expect(connector.status_detail).toMatch(/Nobody is logged in/);
    const asked = await logIn(path);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      ...{ response_type: "code", code_challenge_method: "S256", resource: MCP_URL },
      ...{ redirect_uri: `${REVEILLE}/oauth/callback`, scope: "mcp:read offline_access" },
    });
    expect(server.grants[0]?.get("resource")).toBe(MCP_URL);
    const after = await read(path);
    expect(after).toMatchObject({
      status: "ready",
      login: { by: { kind: "owner" }, issuer: new URL(MCP_URL).origin, client: "registered", expires_at: null },
    });
    expect(after.tools.length).toBe(3);
    const { results } = await env.DB.prepare("SELECT * FROM connector_logins").all();
    const seen = JSON.stringify([after, results]);
    expect(server.tokens.size).toBe(1);
    for (const token of server.tokens) expect(seen).not.toContain(token);

    expect((await api("DELETE", `${path}/login`)).status).toBe(204);
    expect(await check(path)).toMatchObject({ status: "needs_login", login: null });
  });

  it("is one of the client that the person has registered, with its secret", async () => {
    const { client_id, client_secret } = await server.register({ token_endpoint_auth_method: "client_secret_post" });
    await api("PUT", "/api/v1/secrets/ACME_CLIENT", { value: client_secret });
    const { path } = await make({ client_id, client_secret: "{{ACME_CLIENT}}" });
    expect((await logIn(path)).searchParams.get("client_id")).toBe(client_id);
    expect((await read(path)).login).toMatchObject({ client: "given" });
    server.forget("token");
    expect(await check(path)).toMatchObject({ status: "ready" });
    expect(server.renewals).toBe(1);
  });

  it("is one of the document at the instance, where the authorization server reads such", async () => {
    const { path } = await make({}, { hasDocuments: true });
    server.instead = withMetadata({ client_id_metadata_document_supported: true });
    const asked = await begin(path);
    expect(asked.searchParams.get("client_id")).toBe(`${REVEILLE}/oauth/client.json`);
    const document = await exports.default.fetch(new Request(`${REVEILLE}/oauth/client.json`));
    expect(await document.json()).toMatchObject({
      client_id: `${REVEILLE}/oauth/client.json`,
      redirect_uris: [`${REVEILLE}/oauth/callback`],
      token_endpoint_auth_method: "none",
    });
  });

  it("registers without scopes where the authorization server does not name those of the resource, and refuses others", async () => {
    const { path } = await make();
    server.instead = async (request, answer) => {
      if (request.url.endsWith("/register") && "scope" in (await request.clone().json<object>()))
        return Response.json({ error: "invalid_client_metadata" }, { status: 400 });
      return await withMetadata({ scopes_supported: ["offline_access"] })(request, answer);
    };
    expect((await logIn(path)).searchParams.get("scope")).toBe("mcp:read offline_access");
  });

  it("is ended once, in the browser that has begun it, and only for the connector as it was", async () => {
    const { path } = await make();
    const at = await server.allow((await begin(path)).href);
    expect(await comeBack(at, {})).toEqual([401, expect.stringContaining("not signed in")]);
    expect((await comeBack(at))[0]).toBe(200);
    expect(await comeBack(at)).toEqual([422, expect.stringContaining("ended already")]);

    const browsers = await Promise.all(
      [1, 2].map(async () => {
        const answer = await exports.default.fetch(
          new Request(`${REVEILLE}/api/v1/sign-in`, {
            method: "POST",
            headers: { "content-type": "application/json", origin: REVEILLE },
            body: JSON.stringify({ token: OWNER_TOKEN }),
          }),
        );
        return { cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "", origin: REVEILLE };
      }),
    );
    const [one = {}, other = {}] = browsers;
    const begun = await exports.default.fetch(
      new Request(`${REVEILLE}${path}/login`, { method: "POST", headers: one }),
    );
    const { authorization_url } = await begun.json<BegunLogin>();
    const back = await server.allow(authorization_url);
    expect((await comeBack(back, other))[0]).toBe(422);
    expect(await comeBack(back, one)).toEqual([303, `${path.replace("/api/v1", "")}?login=done`]);

    const late = await server.allow((await begin(path)).href);
    await api("PATCH", path, { auth: { type: "oauth", scope: "mcp:read" } });
    expect(await read(path)).toMatchObject({ login: null, status: "needs_login" });
    expect(await comeBack(late)).toEqual([422, expect.stringContaining("has been changed")]);
    const kept = env.DB.prepare("SELECT * FROM connector_logins WHERE connector_id = ?1").bind(path.split("/").at(-1));
    expect((await kept.all()).results).toEqual([]);
  });

  it("is not taken from another authorization server, nor where nothing was allowed", async () => {
    const { path } = await make();
    const other = await server.allow((await begin(path)).href);
    other.searchParams.set("iss", "https://evil.acme.dev");
    expect(await comeBack(other)).toEqual([422, expect.stringContaining("is not from mcp.acme.dev")]);
    const denied = await server.allow((await begin(path)).href);
    denied.searchParams.delete("code");
    denied.searchParams.set("error", "access_denied");
    const [status, text] = await comeBack(denied);
    expect([status, text]).toEqual([422, expect.stringContaining("gives no login: access_denied")]);
    expect(text).toContain(`<a href="${path.replace("/api/v1", "")}">Back to the connector</a>`);
    expect(server.grants).toEqual([]);
  });

  it.each<[string, FakeOauth["instead"], RegExp]>([
    [
      "nobody can register",
      withMetadata({ registration_endpoint: undefined }),
      /lets nobody register.*redirect address https:\/\/reveille.acme.dev\/oauth\/callback/,
    ],
    [
      "PKCE is not told",
      withMetadata({ code_challenge_methods_supported: undefined }),
      /does not say that it takes PKCE/,
    ],
    [
      "tokens are given inside",
      withMetadata({ token_endpoint: "https://169.254.169.254/token" }),
      /An address of the authorization server/,
    ],
    [
      "the metadata lead inside",
      async (request, answer) =>
        request.url.includes("/.well-known/")
          ? new Response(null, { status: 302, headers: { location: "http://127.0.0.1/" } })
          : await answer(),
      /could not be read/,
    ],
    [
      "registering leads elsewhere",
      async (request, answer) =>
        request.url.endsWith("/register")
          ? new Response(null, { status: 307, headers: { location: "https://other.acme.dev/register" } })
          : await answer(),
      /redirects to https:\/\/other.acme.dev, which is not followed/,
    ],
  ])("does not begin where %s", async (_where, instead, words) => {
    const { path } = await make();
    server.instead = instead;
    expect(await refusal(path)).toEqual([422, "connector_login_refused", expect.stringMatching(words)]);
  });

  it("does not begin for a connector that signs in otherwise", async () => {
    const { path } = await make();
    await api("PATCH", path, { auth: { type: "none" } });
    expect(await refusal(path)).toEqual([
      422,
      "connector_login_refused",
      expect.stringContaining("not sign in by OAuth"),
    ]);
  });
});

describe("a login that is there", () => {
  it("is renewed before it ends, with the refresh token of the time before", async () => {
    const { path } = await make({}, { lasts: 60 });
    await logIn(path);
    const before = server.renewals;
    for (const _time of [1, 2]) expect(await check(path)).toMatchObject({ status: "ready" });
    expect(server.renewals).toBe(before + 2);
    const [first, second] = server.grants.slice(-2).map((grant) => grant.get("refresh_token"));
    expect(first).not.toBe(second);
  });

  it("is renewed once for all who use it, when its server refuses the token", async () => {
    const { path } = await make();
    await logIn(path);
    server.forget("token");
    const seen = await Promise.all([1, 2, 3, 4].map(() => check(path)));
    expect(seen.map(({ status }) => status)).toEqual(["ready", "ready", "ready", "ready"]);
    expect(server.renewals).toBe(1);
  });

  it("ends where it was revoked, and says so", async () => {
    const { path } = await make();
    await logIn(path);
    server.forget("token");
    server.forget("grant");
    const after = await check(path);
    expect(after).toMatchObject({ status: "needs_login", login: null });
    expect(after.status_detail).toMatch(/mcp.acme.dev refuses: invalid_grant.*Log in again/);
    const asked = server.grants.length;
    expect((await check(path)).status_detail).toMatch(/invalid_grant/);
    expect(server.grants.length).toBe(asked);
    await logIn(path);
    expect(await read(path)).toMatchObject({ status: "ready" });
  });

  it("is not renewed again and again for a server that wants another audience", async () => {
    const { path } = await make();
    await logIn(path);
    server.instead = async (request, answer) =>
      request.url === MCP_URL ? new Response(null, { status: 401 }) : await answer();
    expect((await check(path)).status_detail).toMatch(/refuses the login, though it has just been renewed/);
    expect((await check(path)).status_detail).toMatch(/though it has just been renewed/);
    expect(server.renewals).toBe(1);
  });

  it("needs a person where the answer to a renewal is lost, and its refresh token is used up", async () => {
    const { path } = await make();
    await logIn(path);
    server.forget("token");
    server.instead = async (request, answer) => {
      const isToken = request.url.endsWith("/oauth/token");
      const answered = await answer();
      if (isToken) throw new TypeError("the connection broke off");
      return answered;
    };
    const lost = await check(path);
    expect([lost.status, lost.status_detail]).toEqual([
      "needs_login",
      expect.stringMatching(/could not be renewed: .*next call tries again/),
    ]);
    server.instead = (_request, answer) => answer();
    server.forget("grant");
    expect((await check(path)).status_detail).toMatch(/An answer to an earlier renewal was lost/);
  });

  it("is asked for with the scope that its server has missed", async () => {
    const { path } = await make();
    await logIn(path);
    server.instead = async (request, answer) =>
      request.url === MCP_URL && request.headers.has("authorization")
        ? new Response(null, {
            status: 403,
            headers: { "www-authenticate": 'Bearer error="insufficient_scope", scope="mcp:write"' },
          })
        : await answer();
    const after = await check(path);
    expect([after.status, after.status_detail]).toEqual([
      "needs_login",
      expect.stringContaining("a scope that the login does not have: mcp:write"),
    ]);
    server.instead = (_request, answer) => answer();
    expect((await logIn(path)).searchParams.get("scope")?.split(" ")).toEqual(
      expect.arrayContaining(["mcp:read", "mcp:write"]),
    );
  });

  it("goes to its own address alone, and not to another of the same origin", async () => {
    const { path } = await make();
    await logIn(path);
    const seen: [string, boolean][] = [];
    server.instead = async (request, answer) => {
      const { pathname } = new URL(request.url);
      if (!pathname.startsWith("/mcp") && !pathname.startsWith("/tenant")) return await answer();
      seen.push([pathname, request.headers.has("authorization")]);
      return pathname === "/mcp"
        ? new Response(null, { status: 307, headers: { location: seen.length > 1 ? "/tenant/mcp" : "/mcp/" } })
        : new Response(null, { status: 500 });
    };
    await check(path);
    await check(path);
    expect(seen).toContainEqual(["/mcp/", true]);
    expect(seen).toContainEqual(["/tenant/mcp", false]);
  });

  it.each<[string, (path: string) => Promise<unknown>]>([
    ["logs out", (path) => api("DELETE", `${path}/login`)],
    ["gives the connector another address", (path) => api("PATCH", path, { url: `${MCP_URL}/v2` })],
    ["deletes the connector", (path) => api("DELETE", path)],
  ])("is revoked at its authorization server where somebody %s, also one that is away at first", async (_how, end) => {
    const { path } = await make();
    await logIn(path);
    const refreshToken = server.refreshTokens().at(-1) ?? "";
    let isAway = true;
    server.instead = async (request, answer) =>
      isAway && request.url.endsWith("/oauth/token") ? new Response(null, { status: 503 }) : await answer();
    await end(path);
    await sweep(Date.now());
    await vi.waitFor(() => expect(server.revocations.length).toBe(1));
    await vi.waitFor(async () => expect(await owed()).toMatchObject([{ attempts: 1 }]));
    expect(JSON.stringify(await owed())).not.toContain(refreshToken);
    isAway = false;
    await sweep(Date.now() + 30_000);
    expect(server.revocations.length).toBe(1);
    await sweep(Date.now() + 61_000);
    expect(server.revocations.map((grant) => [grant.get("token"), grant.get("token_type_hint")])).toEqual([
      [refreshToken, "refresh_token"],
      [refreshToken, "refresh_token"],
    ]);
    expect(await owed()).toEqual([]);
    expect([...server.stored.keys()].filter((key) => key.startsWith("grant:"))).toEqual([]);
  });

  it("is left to expire at an authorization server that never answers, or cannot revoke", async () => {
    const { path } = await make();
    await logIn(path);
    server.instead = (request, answer) =>
      request.url.endsWith("/oauth/token") ? Promise.reject(new TypeError("refused")) : answer();
    await api("DELETE", `${path}/login`);
    for (let day = 0; day < 6; day += 1) await sweep(Date.now() + day * 86_400_000);
    expect(await owed()).toEqual([]);
    expect(server.revocations.length).toBe(5);

    server = new FakeOauth();
    server.instead = withMetadata({ revocation_endpoint: "https://169.254.169.254/revoke" });
    await logIn(path);
    await api("DELETE", `${path}/login`);
    await vi.waitFor(async () => expect(await owed()).toEqual([]));
    expect(server.revocations).toEqual([]);
  });

  it("is encrypted anew with the present key, and named where no key decrypts it", async () => {
    const { path, id } = await make();
    await logIn(path);
    await env.DB.prepare("UPDATE connector_logins SET sealed = 'rk1.0000000000000000.AAAA' WHERE connector_id = ?1")
      .bind(id)
      .run();
    const step = await api<EncryptAnewStep>("POST", "/api/v1/instance/secrets/encrypt-anew");
    expect(step.body.unreadable_logins).toEqual([id]);
    expect((await check(path)).status_detail).toMatch(/can't be decrypted: log in again/);
  });
});
