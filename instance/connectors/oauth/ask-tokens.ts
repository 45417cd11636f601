/** Asks an authorization server for tokens: for the code that a person has brought back, or in the place of those before. */
import type { OAuthTokens } from "@modelcontextprotocol/client";
import type { Connector } from "#protocol/connector.ts";
import { readableErrorCode } from "#rules/connectors/oauth-login.ts";
import type { UsingAttempt } from "../../secrets/secret-rows.ts";
import type { AuthorizationServer, OauthClient, Tokens } from "./kept-login.ts";
import type { LoginParts } from "./login-parts.ts";
import { safeFetch } from "./safe-fetch.ts";

/**
 * `refused`: it will not give any. `lost`: whether it has given some is not known. `not_asked`: it has given none, for now. `words` is a clause that follows the server's name,
 * and quotes nothing of the answer but an error's code.
 */
export type TokenAnswer =
  /** `method` is how the client was authenticated. */
  | { kind: "tokens"; tokens: Tokens; method: string | null }
  | { kind: "refused"; code: string; words: string }
  | { kind: "lost" | "not_asked"; words: string };

/** The attempt that uses a login, which is noted, or the routine for which the instance asks; neither where it is a person. */
export interface LoginUse {
  attempt: UsingAttempt | null;
  routineId: string | null;
}

export type Grant = { code: string; verifier: string } | { refreshToken: string };

const DEADLINE_MS = 15_000;
/** What may pass, and tells nothing of the grant. */
const PASSING = ["server_error", "temporarily_unavailable", "slow_down", "too_many_requests"];
/** What a header's value can be. */
const TOKEN = /^[!-~]{1,16384}$/;

/** @param use for whom a secret of the client's is read. Never rejects. */
export async function askTokens(
  parts: LoginParts,
  connector: Connector,
  { server, client, resource }: { server: AuthorizationServer; client: OauthClient; resource: string },
  grant: Grant,
  use: LoginUse,
): Promise<TokenAnswer> {
  const secret = await secretOf(parts, connector, client, use);
  if (!secret.ok) return { kind: "not_asked", words: `was not asked. ${secret.detail}` };
  // A client that was registered by hand has one method, and nobody has said which.
  const isOpen = client.token_endpoint_auth_method === null && secret.value !== null;
  const methods = isOpen ? methodsOf(server) : [client.token_endpoint_auth_method];
  let answer: TokenAnswer = { kind: "refused", code: "invalid_client", words: "takes no client with a secret" };
  for (const method of methods) {
    answer = await askBy(parts, { server, client, resource, secret: secret.value, method }, grant);
    if (answer.kind !== "refused" || answer.code !== "invalid_client") break;
  }
  return answer;
}

const WITH_SECRET = ["client_secret_basic", "client_secret_post"];

function methodsOf({ token_endpoint_auth_methods_supported: supported }: AuthorizationServer): string[] {
  return WITH_SECRET.filter((method) => supported?.includes(method) ?? true);
}

interface AskedAs {
  server: AuthorizationServer;
  client: OauthClient;
  resource: string;
  secret: string | null;
  method: string | null;
}

async function askBy(parts: LoginParts, asked: AskedAs, grant: Grant): Promise<TokenAnswer> {
  const { server, client, resource, secret, method } = asked;
  const sdk = await import("@modelcontextprotocol/client");
  const { fetch, met } = safeFetch(parts.outside, AbortSignal.timeout(DEADLINE_MS));
  const options = {
    metadata: metadataOf(server),
    clientInformation: {
      client_id: client.client_id,
      ...(secret === null ? {} : { client_secret: secret }),
      ...(method === null ? {} : { token_endpoint_auth_method: method }),
    },
    // As the metadata spell it: a URL of it would have a slash more.
    resource: resource as unknown as URL,
    fetchFn: fetch,
  };
  try {
    const answer =
      "code" in grant
        ? await sdk.exchangeAuthorization(server.issuer, {
            ...options,
            // The caller has judged it already.
            iss: server.issuer,
            authorizationCode: grant.code,
            codeVerifier: grant.verifier,
            redirectUri: client.redirect_uri,
          })
        : await sdk.refreshAuthorization(server.issuer, { ...options, refreshToken: grant.refreshToken });
    return readTokens(answer, method, parts.now());
  } catch (error) {
    if (error instanceof sdk.OAuthError && !PASSING.includes(error.code)) {
      const code = readableErrorCode(error.code);
      return { kind: "refused", code, words: `refuses: ${code}` };
    }
    const odd = met.status === null || met.status < 300 ? "answered what can't be used" : `answered ${met.status}`;
    return { kind: "lost", words: met.detail ?? odd };
  }
}

function metadataOf(server: AuthorizationServer) {
  const { issuer, token_endpoint, token_endpoint_auth_methods_supported: methods } = server;
  return {
    issuer,
    token_endpoint,
    authorization_endpoint: token_endpoint,
    response_types_supported: ["code"],
    ...(methods === null ? {} : { token_endpoint_auth_methods_supported: methods }),
  };
}

/** Of a client that has one. @param use for whom it is read. */
export async function secretOf(
  { secrets }: LoginParts,
  { id, auth }: Pick<Connector, "id" | "auth">,
  client: OauthClient,
  use: LoginUse,
): Promise<{ ok: true; value: string | null } | { ok: false; detail: string }> {
  if (client.kind !== "given" || auth.type !== "oauth" || auth.client_secret === undefined)
    return { ok: true, value: client.client_secret };
  const texts = { client_secret: auth.client_secret };
  const filled =
    use.attempt === null
      ? await secrets.fillTexts(texts, { routineId: use.routineId, environmentId: null, connectorId: id })
      : await secrets.fill(texts, { ...use.attempt, connectorId: id });
  if (!filled.ok) return { ok: false, detail: `Its client's secret can't be used. ${filled.fault.detail}` };
  return { ok: true, value: filled.variables["client_secret"] ?? null };
}

function readTokens(answer: OAuthTokens, method: string | null, nowMs: number): TokenAnswer {
  const { access_token, refresh_token, expires_in, token_type, scope } = answer;
  if (token_type.toLowerCase() !== "bearer" || !TOKEN.test(access_token))
    return { kind: "refused", code: "unusable", words: "gives tokens that are no bearer tokens" };
  const lasts = expires_in === undefined || !Number.isFinite(expires_in) ? null : Math.max(0, expires_in);
  return {
    kind: "tokens",
    method,
    tokens: {
      access_token,
      refresh_token: refresh_token ?? null,
      expires_at_ms: lasts === null ? null : nowMs + lasts * 1_000,
      scope: scope ?? null,
    },
  };
}
