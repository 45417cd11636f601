/** What authorization servers do wrong when somebody logs in to a connector, over real sockets, and what the person reads. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ConnectorBed } from "./support/connector-bed.ts";

type Answer = { status?: number; headers?: Record<string, string>; body?: object | string } | "hangs";
type Faults = Record<string, (body: URLSearchParams) => Answer>;

const INWARD = "https://169.254.169.254";

describe("a login", () => {
  let bed: ConnectorBed;
  let server: Server;
  let origin = "";
  let faults: Faults = {};
  let asked: string[] = [];
  let onHang = () => {};
  let given = 0;

  beforeAll(async () => {
    bed = await ConnectorBed.start();
    server = createServer(async (incoming, response) => {
      const { pathname, searchParams } = new URL(incoming.url ?? "/", origin);
      const text = await textOf(incoming);
      asked.push(pathname);
      const answer = faults[pathname]?.(new URLSearchParams(text)) ?? usual(pathname, searchParams);
      if (answer === "hangs") return onHang();
      const { status = 200, headers = {}, body = "" } = answer;
      const type = typeof body === "string" ? {} : { "content-type": "application/json" };
      response.writeHead(status, { ...type, ...headers }).end(typeof body === "string" ? body : JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    faults = {};
    asked = [];
    vi.useRealTimers();
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await bed.close();
  });

  const metadata = () => ({
    ...{ issuer: origin, authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token` },
    ...{ registration_endpoint: `${origin}/register`, response_types_supported: ["code"] },
    ...{ code_challenge_methods_supported: ["S256"], authorization_response_iss_parameter_supported: true },
  });

  function usual(path: string, query: URLSearchParams): Answer {
    switch (path) {
      case "/mcp":
        return { status: 401, headers: { "www-authenticate": `Bearer resource_metadata="${origin}/resource"` } };
      case "/resource":
        return { body: { resource: `${origin}/mcp`, authorization_servers: [origin], scopes_supported: ["read"] } };
      case "/.well-known/oauth-authorization-server":
        return { body: metadata() };
      case "/register":
        return {
          status: 201,
          body: { client_id: "client", redirect_uris: ["https://reveille.example/oauth/callback"] },
        };
      case "/authorize": {
        const back = new URL(query.get("redirect_uri") ?? "");
        back.search = new URLSearchParams({ code: "code", state: query.get("state") ?? "", iss: origin }).toString();
        return { status: 302, headers: { location: back.href } };
      }
      case "/token":
        given += 1;
        return {
          body: {
            access_token: `access-${given}`,
            refresh_token: `refresh-${given}`,
            token_type: "Bearer",
            expires_in: 3_600,
          },
        };
      default:
        return { status: 404 };
    }
  }

  const make = () => bed.make(`${origin}/mcp`, { type: "oauth" });
  const says = (change: object) => ({
    "/.well-known/oauth-authorization-server": () => ({ body: { ...metadata(), ...change } }),
  });

  it.each<[string, () => Faults, RegExp]>([
    [
      "sends people where they are read on the way",
      () => says({ authorization_endpoint: "http://login.example/authorize" }),
      /must be an https address/,
    ],
    [
      "sends people to what is no page",
      () => says({ authorization_endpoint: "javascript:alert(1)" }),
      /answered 200, with no metadata that can be used|must be an https address/,
    ],
    [
      "gives tokens at an address inside",
      () => says({ token_endpoint: `${INWARD}/token` }),
      /must name a host of the internet/,
    ],
    [
      "gives tokens to a user of its own",
      () => says({ token_endpoint: "https://user:password@login.example/token" }),
      /must not contain a user name/,
    ],
    [
      "registers at an address inside",
      () => says({ registration_endpoint: `${INWARD}/register` }),
      /does not register the instance: it can't be asked/,
    ],
    ["is another", () => says({ issuer: "https://login.example" }), /says that it is another/],
    ["is another by a slash and a path", () => says({ issuer: `${origin}/tenant` }), /says that it is another/],
    ["has no PKCE", () => says({ code_challenge_methods_supported: ["plain"] }), /does not say that it takes PKCE/],
    ["gives no codes", () => says({ response_types_supported: ["token"] }), /gives no authorization codes/],
    ["lets nobody register", () => says({ registration_endpoint: undefined }), /lets nobody register/],
    [
      "is named inside",
      () => ({ "/resource": () => ({ body: { resource: `${origin}/mcp`, authorization_servers: [INWARD] } }) }),
      /can't be asked: its address must name a host of the internet/,
    ],
    [
      "is of another resource",
      () => ({ "/resource": () => ({ body: { resource: `${origin}/mcp/other`, authorization_servers: [origin] } }) }),
      /of another resource/,
    ],
    [
      "has metadata without an end",
      () => ({
        "/.well-known/oauth-authorization-server": () => ({
          headers: { "content-type": "application/json" },
          body: `{"issuer":"${"a".repeat(300_000)}"}`,
        }),
      }),
      /no metadata that can be used/,
    ],
    [
      "refuses to register",
      () => ({
        "/register": () => ({ status: 400, body: { error: "invalid_client_metadata", error_description: "<script>" } }),
      }),
      /answered 400, invalid_client_metadata\./,
    ],
    [
      "fails to register",
      () => ({ "/register": () => ({ status: 500, body: "<h1>Oops</h1>" }) }),
      /does not register the instance: it answered 500/,
    ],
    ["registers nobody", () => ({ "/register": () => ({ status: 201, body: {} }) }), /with nothing that can be used/],
    [
      "hangs",
      () => ({ "/.well-known/oauth-authorization-server": () => "hangs" as const }),
      /did not answer within 10 seconds/,
    ],
    ["hangs at the registration", () => ({ "/register": () => "hangs" as const }), /did not answer within 10 seconds/],
  ])("does not begin where the authorization server %s", async (_how, how, words) => {
    const name = await make();
    faults = how();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onHang = () => void vi.advanceTimersByTime(10_001);
    await expect(bed.begin(name)).rejects.toThrow(words);
    expect(asked).not.toContain("/token");
  });

  it.each<[string, (back: URLSearchParams) => void, RegExp]>([
    ["another server's name", (back) => back.set("iss", "https://login.example"), /is not from 127\.0\.0\.1/],
    ["no server's name, where it says that it tells it", (back) => back.delete("iss"), /is not from 127\.0\.0\.1/],
    ["another state", (back) => back.set("state", "0".repeat(64)), /not begun in this browser/],
    [
      "an error in words of its own",
      (back) => {
        back.delete("code");
        back.set("error", "<b>no</b>");
      },
      /gives no login: an error of its own/,
    ],
    ["neither a code nor an error", (back) => back.delete("code"), /gives no login/],
  ])("does not end with %s, and its state is used up", async (_what, change, words) => {
    const name = await make();
    const answer = await fetch(await bed.begin(name), { redirect: "manual" });
    const back = new URL(answer.headers.get("location") ?? "");
    const right = new URL(back);
    change(back.searchParams);
    await expect(bed.end(back)).rejects.toThrow(words);
    expect(asked).not.toContain("/token");
    if (back.searchParams.get("state") === right.searchParams.get("state"))
      await expect(bed.end(right)).rejects.toThrow(/ended already/);
  });

  it.each<[string, Answer, RegExp]>([
    ["refuses the code", { status: 400, body: { error: "invalid_grant" } }, /refuses: invalid_grant/],
    ["gives tokens of another kind", { body: { access_token: "a", token_type: "mac" } }, /no bearer tokens/],
    [
      "gives a token that would be two headers",
      { body: { access_token: "a\r\nX-Evil: b", token_type: "Bearer" } },
      /no bearer tokens/,
    ],
    ["gives nothing", { body: {} }, /answered what can't be used/],
    [
      "redirects with the code",
      { status: 307, headers: { location: "https://login.example/token" } },
      /which is not followed/,
    ],
    ["fails", { status: 503, body: "" }, /answered 503/],
  ])("does not end where the authorization server %s", async (_how, answer, words) => {
    const name = await make();
    faults = { "/token": () => answer };
    await expect(bed.logIn(name)).rejects.toThrow(words);
  });

  it("whose server wants one scope more each time asks a person each time, and never by itself", async () => {
    const name = await make();
    for (const scope of ["write", "admin"]) {
      faults = {};
      await bed.logIn(name);
      const logins = asked.filter((path) => path === "/authorize").length;
      const challenge = `Bearer error="insufficient_scope", scope="${scope}"`;
      faults = { "/mcp": () => ({ status: 403, headers: { "www-authenticate": challenge } }) };
      const { url, token } = await bed.addressOf(name);
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "look" } });
      const call = await fetch(url, { method: "POST", body, headers: { authorization: `Bearer ${token}` } });
      expect(await call.text()).toContain(`a scope that the login does not have: ${scope}. Log in again`);
      faults = {};
      expect((await bed.begin(name)).searchParams.get("scope")?.split(" ")).toContain(scope);
      expect(asked.filter((path) => path === "/authorize").length).toBe(logins);
    }
  });
});

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of incoming) text += chunk;
  return text;
}
