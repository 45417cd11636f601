/** A login as it is kept: its tokens with the audience that they are for, and who may renew them. Encrypted, and shown nowhere. */
import { z } from "zod";
import { type Actor, actorSchema } from "#protocol/actor.ts";
import { type ConnectorLogin, oauthClientKinds } from "#protocol/connector-oauth.ts";
import { timestamp } from "#protocol/time.ts";
import type { KeyRing, Place } from "../../key-ring.ts";

const clientSchema = z.object({
  kind: z.enum(oauthClientKinds),
  client_id: z.string(),
  /** Of one that was registered; that of a given one is a secret of the instance. */
  client_secret: z.string().nullable(),
  client_secret_expires_at_ms: z.number().nullable(),
  token_endpoint_auth_method: z.string().nullable(),
  redirect_uri: z.string(),
});
export type OauthClient = z.infer<typeof clientSchema>;

/** What is known of the authorization server, as it told when the login began: nothing is asked of another. */
const authorizationServerSchema = z.object({
  issuer: z.string(),
  token_endpoint: z.string(),
  token_endpoint_auth_methods_supported: z.array(z.string()).nullable(),
  authorization_response_iss_parameter_supported: z.boolean(),
  /** Null where it tells none, or one that is not called. */
  revocation_endpoint: z.string().nullable().default(null),
});
export type AuthorizationServer = z.infer<typeof authorizationServerSchema>;

const tokensSchema = z.object({
  access_token: z.string(),
  refresh_token: z.string().nullable(),
  expires_at_ms: z.number().nullable(),
  scope: z.string().nullable(),
});
export type Tokens = z.infer<typeof tokensSchema>;

const keptLoginSchema = z.object({
  version: z.literal(1),
  server: authorizationServerSchema,
  /** What the tokens are for. */
  resource: z.string(),
  /** Null where the authorization server does not know it any more. */
  client: clientSchema.nullable(),
  /** Null once the login has ended. */
  tokens: tokensSchema.nullable(),
  by: actorSchema,
  at_ms: z.number(),
  /** When it was renewed last because the server refused the token. */
  renewed_for_refusal_at_ms: z.number().nullable(),
  /** An answer to a renewal did not come: the refresh token may be used up. */
  has_lost_answer: z.boolean(),
});
export type KeptLogin = z.infer<typeof keptLoginSchema>;

export const begunStateSchema = z.object({
  version: z.literal(1),
  bound_to: z.string(),
  verifier: z.string(),
  server: authorizationServerSchema,
  resource: z.string(),
  client: clientSchema,
  scope: z.string().nullable(),
});
export type BegunState = z.infer<typeof begunStateSchema>;

export function placeOfLogin(connectorId: string): Place {
  return { kind: "connector-login", id: connectorId };
}

export function placeOfState(hash: string): Place {
  return { kind: "connector-login-state", id: hash };
}

/** @returns null for what no key in force decrypts, or is of another form. */
export async function openedLogin(ring: KeyRing, connectorId: string, sealed: string): Promise<KeptLogin | null> {
  const opened = await ring.open(placeOfLogin(connectorId), sealed);
  return opened.ok ? (keptLoginSchema.safeParse(JSON.parse(opened.text)).data ?? null) : null;
}

export function sealedLogin(ring: KeyRing, connectorId: string, login: KeptLogin): Promise<string> {
  return ring.seal(placeOfLogin(connectorId), JSON.stringify(login));
}

/** What people see of it. @param login one with its client. */
export function shownLogin(login: KeptLogin, client: OauthClient, by: Actor): string {
  const { server, tokens, at_ms } = login;
  const ends = tokens?.refresh_token === null ? tokens.expires_at_ms : null;
  const shown: ConnectorLogin = {
    at: timestamp(at_ms),
    by,
    issuer: server.issuer,
    scope: tokens?.scope ?? null,
    client: client.kind,
    expires_at: ends === null ? null : timestamp(ends),
  };
  return JSON.stringify(shown);
}
