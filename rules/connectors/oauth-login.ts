/** What of a login by OAuth is judged without asking anybody: what it is bound to, what is asked for, and by which client. Pure. */
import type { Connector } from "#protocol/connector.ts";
import type { OauthAuth, OauthClientKind } from "#protocol/connector-oauth.ts";

/** The address and client that a login is for: with another of either it counts for nothing. */
export function boundTo({ url, auth }: Pick<Connector, "url" | "auth">): string {
  const given: Partial<OauthAuth> = auth.type === "oauth" ? auth : {};
  return JSON.stringify([url, auth.type, given.client_id ?? null, given.client_secret ?? null, given.scope ?? null]);
}

export interface ServerFacts {
  authorization_endpoint: string;
  token_endpoint: string;
  registration_endpoint?: string | undefined;
  response_types_supported?: string[] | undefined;
  code_challenge_methods_supported?: string[] | undefined;
  client_id_metadata_document_supported?: boolean | undefined;
  scopes_supported?: string[] | undefined;
}

/** @returns why nobody can log in there, as a clause that follows "its authorization server"; null where nothing is in the way. */
export function serverFault(facts: ServerFacts): string | null {
  if (!(facts.response_types_supported ?? ["code"]).includes("code")) return "gives no authorization codes";
  if (!(facts.code_challenge_methods_supported ?? []).includes("S256"))
    return "does not say that it takes PKCE with S256, without which a code can be stolen on its way";
  return null;
}

/**
 * How the instance is to be a client there, in the order of the specification.
 * @param hasDocument whether the instance's own document can be read from outside.
 * @returns null where a person has to register one.
 */
export function clientKind(auth: OauthAuth, facts: ServerFacts, hasDocument: boolean): OauthClientKind | null {
  if (auth.client_id !== undefined) return "given";
  if (facts.client_id_metadata_document_supported === true && hasDocument) return "metadata_document";
  return facts.registration_endpoint === undefined ? null : "registered";
}

/** Where scopes that a login may ask for are named. */
export interface ScopeSources {
  /** By the person who has set the connector up. */
  given: string | undefined;
  /** By the server's challenge. */
  challenged: string | undefined;
  /** By the metadata of the resource. */
  supported: readonly string[] | undefined;
  /** What the server has missed since. */
  wanted: string | null;
  /** What the login before had. */
  granted: string | null;
  /** Those that the authorization server knows. */
  known: readonly string[] | undefined;
}

const AT_MOST = 2_000;

/** @returns what is asked for; undefined where the authorization server decides. */
export function scopeToAsk(sources: ScopeSources): string | undefined {
  const { given, challenged, supported, wanted, granted, known } = sources;
  const base = given ?? challenged ?? supported?.join(" ") ?? "";
  // Who steps up keeps what they had.
  const more = wanted === null ? [] : [granted ?? "", wanted];
  const all = new Set([base, ...more].flatMap((text) => text.split(" ")).filter((one) => one !== ""));
  // Without it some give no refresh token.
  if (all.size > 0 && given === undefined && known?.includes("offline_access") === true) all.add("offline_access");
  const scope = [...all].join(" ");
  return scope === "" || scope.length > AT_MOST ? undefined : scope;
}

/** A scope that a server names, where it is one. */
export function readableScope(text: string | undefined): string | null {
  return text !== undefined && text.length <= AT_MOST / 2 && /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/.test(text) ? text : null;
}

/** An error's code in words of OAuth; whatever else stands in its place is not shown. */
export function readableErrorCode(text: string): string {
  return /^[a-z_]{1,60}$/.test(text) ? text : "an error of its own";
}
