/** Begins the login of a connector: finds its authorization server, becomes a client there, and makes the address that a person opens. */

import { toHex } from "#instance/attempt-token.ts";
import { type KeptLogin, type OauthClient, openedLogin, placeOfState } from "#instance/connectors/oauth/kept-login.ts";
import type { LoginParts } from "#instance/connectors/oauth/login-parts.ts";
import { type SafeFetch, safeFetch } from "#instance/connectors/oauth/safe-fetch.ts";
import { hashSecret } from "#instance/secrets.ts";
import type { Connector } from "#protocol/connector.ts";
import type { BegunLogin, OauthAuth } from "#protocol/connector-oauth.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { outsideAddressFault } from "#protocol/outside-address.ts";
import { timestamp } from "#protocol/time.ts";
import { boundTo, clientKind, readableErrorCode, scopeToAsk } from "#rules/connectors/oauth-login.ts";
import { type Discovered, discover, type Found } from "./discover.ts";

const STATE_LIFETIME_MS = 600_000;
/** For all that is asked until the address is known. */
const DEADLINE_MS = 30_000;
const NAME = "Reveille";

export const CALLBACK_PATH = "/oauth/callback";
export const DOCUMENT_PATH = "/oauth/client.json";

/** What an authorization server is told of the instance, by its document or when it registers. */
export function clientMetadata(baseUrl: string) {
  return {
    client_name: NAME,
    client_uri: baseUrl,
    redirect_uris: [`${baseUrl}${CALLBACK_PATH}`],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
}

/** @param madeBy the sign-in that it is begun in, and has to be ended in; null for the owner's token. */
export async function beginLogin(
  parts: LoginParts,
  connector: Connector,
  { baseUrl, madeBy }: { baseUrl: string; madeBy: string | null },
  nowMs: number,
): Promise<Result<BegunLogin>> {
  const { auth } = connector;
  if (auth.type !== "oauth") return refuse("connector_login_refused", { field: "auth.type", ...NOT_OAUTH });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const web = safeFetch(parts.outside, signal);
  const found = await discover(parts.outside, web, connector.url, signal);
  if (!found.ok) return refuse("connector_login_refused", { message: found.detail });
  const row = await parts.logins.find(connector.id);
  const before = row === null ? null : await openedLogin(parts.ring, connector.id, row.sealed);
  const scope = scopeToAsk({
    given: auth.scope,
    challenged: found.value.challengedScope,
    supported: found.value.supportedScopes,
    known: found.value.facts.scopes_supported,
    wanted: row?.wanted_scope ?? null,
    granted: before?.tokens?.scope ?? null,
  });
  const client = await clientOf(web, { auth, baseUrl, discovered: found.value, before, scope, nowMs });
  if (!client.ok) {
    const hint = `Register a client there by hand with the redirect address ${baseUrl}${CALLBACK_PATH}, and give the connector its client_id, and client_secret as a secret's name where it has one.`;
    return refuse("connector_login_refused", { field: "auth.client_id", message: client.detail, hint });
  }
  const sdk = await import("@modelcontextprotocol/client");
  const { facts, server, resource } = found.value;
  const state = toHex(crypto.getRandomValues(new Uint8Array(32)));
  const { authorizationUrl, codeVerifier } = await sdk.startAuthorization(server.issuer, {
    metadata: facts,
    clientInformation: { client_id: client.value.client_id },
    redirectUrl: client.value.redirect_uri,
    ...(scope === undefined ? {} : { scope }),
    state,
    resource: resource as unknown as URL,
  });
  const hash = await hashSecret(state);
  const begun = {
    ...{ version: 1 as const, bound_to: boundTo(connector), verifier: codeVerifier },
    ...{ server, resource, client: client.value, scope: scope ?? null },
  };
  const sealed = await parts.ring.seal(placeOfState(hash), JSON.stringify(begun));
  const expires_at = nowMs + STATE_LIFETIME_MS;
  await parts.logins.beginState({ hash, connector_id: connector.id, made_by: madeBy, sealed, expires_at }, nowMs);
  return success({ authorization_url: authorizationUrl.href, expires_at: timestamp(expires_at) });
}

interface Asking {
  auth: OauthAuth;
  baseUrl: string;
  discovered: Discovered;
  before: KeptLogin | null;
  scope: string | undefined;
  nowMs: number;
}

/** The client of the login before, where the same can be used again; else by the specification's order. */
async function clientOf(web: SafeFetch, asking: Asking): Promise<Found<OauthClient>> {
  const { auth, baseUrl, discovered, before, nowMs } = asking;
  const { facts, server } = discovered;
  const redirect_uri = `${baseUrl}${CALLBACK_PATH}`;
  const plain = {
    client_secret: null,
    client_secret_expires_at_ms: null,
    token_endpoint_auth_method: null,
    redirect_uri,
  };
  const hasDocument = outsideAddressFault(URL.parse(baseUrl)) === null;
  const kind = clientKind(auth, facts, hasDocument);
  if (kind === "given") return { ok: true, value: { kind, client_id: auth.client_id ?? "", ...plain } };
  if (kind === "metadata_document") {
    const client_id = `${baseUrl}${DOCUMENT_PATH}`;
    return { ok: true, value: { kind, client_id, ...plain, token_endpoint_auth_method: "none" } };
  }
  const host = new URL(server.issuer).host;
  if (kind === null)
    return { ok: false, detail: `The authorization server ${host} lets nobody register by themselves.` };
  const known = before?.server.issuer === server.issuer ? before.client : null;
  const isGood = (until: number | null) => until === null || until > nowMs + STATE_LIFETIME_MS;
  if (known?.kind === kind && known.redirect_uri === redirect_uri && isGood(known.client_secret_expires_at_ms))
    return { ok: true, value: known };
  return await register(web, asking, redirect_uri);
}

async function register(web: SafeFetch, asking: Asking, redirect_uri: string): Promise<Found<OauthClient>> {
  const { baseUrl, discovered, scope } = asking;
  const { facts, server } = discovered;
  const sdk = await import("@modelcontextprotocol/client");
  const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  const method = ["none", "client_secret_basic", "client_secret_post"].find((one) => methods.includes(one));
  try {
    const made = await sdk.registerClient(server.issuer, {
      metadata: facts,
      clientMetadata: {
        ...clientMetadata(baseUrl),
        application_type: new URL(baseUrl).protocol === "https:" ? "web" : "native",
        ...(method === undefined ? {} : { token_endpoint_auth_method: method }),
      },
      ...(scope === undefined || !namesAll(facts.scopes_supported, scope) ? {} : { scope }),
      fetchFn: web.fetch,
    });
    const ends = made.client_secret_expires_at ?? 0;
    return {
      ok: true,
      value: {
        kind: "registered",
        client_id: made.client_id,
        client_secret: made.client_secret ?? null,
        client_secret_expires_at_ms: made.client_secret === undefined || ends === 0 ? null : ends * 1_000,
        // Some tell nothing of the method: who got no secret can prove nothing by one.
        token_endpoint_auth_method:
          made.client_secret === undefined ? "none" : (made.token_endpoint_auth_method ?? method ?? null),
        redirect_uri,
      },
    };
  } catch (error) {
    const host = new URL(server.issuer).host;
    if (error instanceof sdk.RegistrationRejectedError) {
      const why = readableErrorCode(errorCodeIn(error.body));
      return {
        ok: false,
        detail: `The authorization server ${host} does not register the instance: it answered ${error.status}, ${why}.`,
      };
    }
    const how = web.met.detail ?? `answered ${web.met.status}, with nothing that can be used`;
    return { ok: false, detail: `The authorization server ${host} does not register the instance: it ${how}.` };
  }
}

/** Scopes of a resource need not be among those that an authorization server names; some then refuse to register a client for them. */
function namesAll(named: readonly string[] | undefined, scope: string): boolean {
  return named === undefined || scope.split(" ").every((one) => named.includes(one));
}

function errorCodeIn(body: string | undefined): string {
  try {
    return String(Object(JSON.parse(body ?? ""))["error"]);
  } catch {
    return "";
  }
}

const NOT_OAUTH = {
  message: "This connector does not sign in by OAuth.",
  hint: 'Set its auth to {"type": "oauth"}, or put its credential into the secret that its auth names.',
};
