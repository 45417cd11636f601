/** Ends the login of a connector: takes what the browser has brought back from the authorization server, and keeps the tokens for it. */

import { askTokens } from "#instance/connectors/oauth/ask-tokens.ts";
import {
  type BegunState,
  begunStateSchema,
  type KeptLogin,
  placeOfState,
  sealedLogin,
  shownLogin,
} from "#instance/connectors/oauth/kept-login.ts";
import type { LoginParts } from "#instance/connectors/oauth/login-parts.ts";
import { hashSecret } from "#instance/secrets.ts";
import type { Actor } from "#protocol/actor.ts";
import type { Connector } from "#protocol/connector.ts";
import { boundTo, readableErrorCode } from "#rules/connectors/oauth-login.ts";

export interface Brought {
  state: string;
  code?: string | undefined;
  error?: string | undefined;
  iss?: string | undefined;
}

const UNKNOWN =
  "This login was not begun in this browser, has been ended already, or is more than ten minutes old. Begin it again.";
const CHANGED = "The connector has been changed since the login began. Begin it again.";

/** `connector` is the id of the one that the login was begun for, where that is known. */
type Ended = { ok: true; value: Connector } | { ok: false; detail: string; connector?: string };

/**
 * @param by who brings it, and the sign-in that they do it in: a login that another has begun is none of theirs.
 * @returns the connector that there is a login of now.
 */
export async function endLogin(
  parts: LoginParts & { find(id: string): Promise<Connector | null> },
  brought: Brought,
  by: { actor: Actor; signIn: string | null },
): Promise<Ended> {
  const hash = await hashSecret(brought.state);
  const row = await parts.logins.endState(hash, by.signIn, parts.now());
  const opened = row === null ? null : await parts.ring.open(placeOfState(hash), row.sealed);
  if (row === null || opened === null || !opened.ok) return { ok: false, detail: UNKNOWN };
  const begun = begunStateSchema.parse(JSON.parse(opened.text));
  const connector = await parts.find(row.connector_id);
  if (connector === null) return { ok: false, detail: CHANGED };
  const fails = (detail: string): Ended => ({ ok: false, detail, connector: connector.id });
  if (boundTo(connector) !== begun.bound_to) return fails(CHANGED);
  const host = new URL(begun.server.issuer).host;
  if (!isOfIssuer(begun, brought.iss))
    return fails(`What the browser has brought is not from ${host}. Nothing was done with it.`);
  if (brought.error !== undefined || brought.code === undefined) {
    const why = readableErrorCode(brought.error ?? "");
    return fails(`The authorization server ${host} gives no login: ${why}.`);
  }
  const grant = { code: brought.code, verifier: begun.verifier };
  const answer = await askTokens(parts, connector, begun, grant, { attempt: null, routineId: null });
  if (answer.kind !== "tokens")
    return fails(`The authorization server ${host} ${answer.words}. Begin the login again.`);
  const login: KeptLogin = {
    version: 1,
    server: begun.server,
    resource: begun.resource,
    client: { ...begun.client, token_endpoint_auth_method: answer.method },
    // What is left out is what was asked for: RFC 6749, section 5.1.
    tokens: { ...answer.tokens, scope: answer.tokens.scope ?? begun.scope },
    by: by.actor,
    at_ms: parts.now(),
    renewed_for_refusal_at_ms: null,
    has_lost_answer: false,
  };
  const isPut = await parts.logins.put(
    {
      connector_id: connector.id,
      bound_to: begun.bound_to,
      sealed: await sealedLogin(parts.ring, connector.id, login),
      shown: shownLogin(login, begun.client, by.actor),
    },
    connector.revision,
  );
  return isPut ? { ok: true, value: connector } : fails(CHANGED);
}

/** RFC 9207: who answers is who was asked. */
function isOfIssuer({ server }: BegunState, iss: string | undefined): boolean {
  if (iss === undefined) return !server.authorization_response_iss_parameter_supported;
  return iss === server.issuer;
}
