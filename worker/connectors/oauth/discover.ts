/**
 * Finds who gives tokens for a connector's server, as the authorization specification of MCP has it (revision 2025-11-25): the
 * server's challenge, the metadata of the resource (RFC 9728), and those of its authorization server (RFC 8414, OpenID Connect).
 */
import type { AuthorizationServerMetadata } from "@modelcontextprotocol/client";
import { askOutside, type OutsideOptions } from "#instance/connectors/ask-outside.ts";
import type { AuthorizationServer } from "#instance/connectors/oauth/kept-login.ts";
import type { SafeFetch } from "#instance/connectors/oauth/safe-fetch.ts";
import { outsideAddressFault } from "#protocol/outside-address.ts";
import { parseAddress } from "#protocol/web-address.ts";
import { readableScope, serverFault } from "#rules/connectors/oauth-login.ts";

/** `detail` is a sentence for people. */
export type Found<Value> = { ok: true; value: Value } | { ok: false; detail: string };

export interface Discovered {
  server: AuthorizationServer;
  facts: AuthorizationServerMetadata;
  /** What tokens are asked for. */
  resource: string;
  challengedScope: string | undefined;
  supportedScopes: string[] | undefined;
}

const CHALLENGE_MS = 10_000;
/** Any request that needs a token would do. Every server understands the first; some want a token for the second alone. */
const QUESTIONS = [
  {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "reveille", version: "1" } },
  },
  { jsonrpc: "2.0", id: 2, method: "tools/list", params: {} },
];

/** Never rejects. */
export async function discover(
  outside: OutsideOptions,
  { fetch, met }: SafeFetch,
  url: string,
  signal: AbortSignal,
): Promise<Found<Discovered>> {
  const sdk = await import("@modelcontextprotocol/client");
  const challenge = await challengeOf(outside, url, signal);
  if (!challenge.ok) return challenge;
  const { resourceMetadataUrl, scope } = challenge.value;
  let issuer: string;
  let resource = url;
  let supportedScopes: string[] | undefined;
  try {
    const options = resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl };
    const metadata = await sdk.discoverOAuthProtectedResourceMetadata(url, options, fetch);
    if (!sdk.checkResourceAllowed({ requestedResource: url, configuredResource: metadata.resource }))
      return lacks(
        "The server's metadata is of another resource than this address: a token for it would be somebody else's.",
      );
    const [first] = metadata.authorization_servers ?? [];
    if (first === undefined) return lacks("The server's metadata names no authorization server.");
    issuer = String(first);
    resource = metadata.resource;
    supportedScopes = metadata.scopes_supported;
  } catch {
    if (met.detail !== null) return lacks(`The server's metadata could not be read: ${met.host} ${met.detail}.`);
    const isMissing = met.status !== null && met.status >= 400 && met.status < 500;
    if (!isMissing || resourceMetadataUrl !== undefined)
      return lacks(
        `The server's metadata could not be read: ${met.host} answered ${met.status}, with none that can be used.`,
      );
    // Of servers of the first revision with authorization, which are their own authorization servers.
    issuer = new URL("/", url).href;
  }
  const metadata = await serverMetadata(outside, { fetch, met }, issuer);
  if (!metadata.ok) return metadata;
  return {
    ok: true,
    value: { ...metadata.value, resource, challengedScope: readableScope(scope) ?? undefined, supportedScopes },
  };
}

async function challengeOf(outside: OutsideOptions, url: string, signal: AbortSignal) {
  const sdk = await import("@modelcontextprotocol/client");
  const headers = new Headers({ "content-type": "application/json", accept: "application/json, text/event-stream" });
  for (const question of QUESTIONS) {
    const body = JSON.stringify(question);
    const credential = new Headers();
    const asked = await askOutside(
      { url, method: "POST", headers, credential, body, answerMs: CHALLENGE_MS, signal, redirects: "own_origin" },
      outside,
    );
    if (!asked.ok) return lacks(`The server ${asked.detail}.`);
    const { answer } = asked;
    await answer.body?.cancel().catch(() => undefined);
    if (answer.status === 401) return { ok: true as const, value: sdk.extractWWWAuthenticateParams(answer) };
    const session = answer.headers.get("mcp-session-id");
    if (session !== null) headers.set("mcp-session-id", session);
  }
  return { ok: true as const, value: {} };
}

async function serverMetadata(
  outside: OutsideOptions,
  { fetch, met }: SafeFetch,
  issuer: string,
): Promise<Found<Pick<Discovered, "server" | "facts">>> {
  const sdk = await import("@modelcontextprotocol/client");
  const host = URL.parse(issuer)?.host ?? "";
  try {
    const facts = await sdk.discoverAuthorizationServerMetadata(issuer, { fetchFn: fetch });
    if (facts === undefined)
      return lacks(`The authorization server ${host} tells nothing of itself where OAuth has it.`);
    const fault = serverFault(facts);
    if (fault !== null) return lacks(`The authorization server ${host} ${fault}.`);
    for (const endpoint of [facts.authorization_endpoint, facts.token_endpoint]) {
      const wrong = outsideAddressFault(parseAddress(endpoint), outside.hasLoopback);
      if (wrong !== null) return lacks(`An address of the authorization server ${host} ${wrong}.`);
    }
    const revocation = String(Reflect.get(facts, "revocation_endpoint") ?? "");
    const canRevoke = outsideAddressFault(parseAddress(revocation), outside.hasLoopback) === null;
    const server = {
      issuer: facts.issuer,
      token_endpoint: facts.token_endpoint,
      token_endpoint_auth_methods_supported: facts.token_endpoint_auth_methods_supported ?? null,
      authorization_response_iss_parameter_supported: facts.authorization_response_iss_parameter_supported === true,
      revocation_endpoint: canRevoke ? revocation : null,
    };
    return { ok: true, value: { server, facts } };
  } catch (error) {
    if (error instanceof sdk.IssuerMismatchError)
      return lacks(`What answers for the authorization server ${host} says that it is another.`);
    const how = met.detail ?? `answered ${met.status}, with no metadata that can be used`;
    return lacks(`The authorization server could not be asked: ${met.host} ${how}.`);
  }
}

function lacks(detail: string): { ok: false; detail: string } {
  return { ok: false, detail };
}
