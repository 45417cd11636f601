/** The headers by which a connector signs its requests, with the values of secrets in them, or the token of its login. */

import type { Connector, ConnectorAuth } from "#protocol/connector.ts";
import type { UsingAttempt } from "../secrets/secret-rows.ts";
import type { FilledVariables, SecretsOfRuns } from "../secrets/secrets-of-runs.ts";
import type { LoginUse } from "./oauth/ask-tokens.ts";
import type { LoginAccess } from "./oauth/login-access.ts";

export interface Credential {
  headers: Headers;
  /** What may be shown nowhere. */
  secrets: string[];
  /** Of a login; null for what no one can renew. */
  login: {
    /** Another in the place of this one, which the server has refused. */
    renewed(): Promise<CredentialAnswer>;
    /** Notes the scope that the server misses. @returns it, where it is one. */
    noteWanted(scope: string | undefined): Promise<string | null>;
  } | null;
}

/** `detail` is a sentence for people. */
export type CredentialAnswer = { ok: true; credential: Credential } | { ok: false; detail: string };

export interface CredentialParts {
  secrets: Pick<SecretsOfRuns, "fill" | "fillTexts">;
  loginAccess: Pick<LoginAccess, "tokenOf" | "noteWanted">;
}

/** What a header's value can be: anything else could begin another header. */
const HEADER_TEXT = /^[!-~](?:[ -~]*[!-~])?$/;

/**
 * @param use the attempt that gets to use it, which is noted; null where the instance itself asks.
 * @param routineId for which the instance asks; null where a person looks whether it works.
 */
export async function credentialOf(
  { secrets, loginAccess }: CredentialParts,
  connector: Connector,
  use: UsingAttempt | null,
  routineId: string | null = null,
): Promise<CredentialAnswer> {
  const { id, auth } = connector;
  if (auth.type === "oauth") return await ofLogin(loginAccess, connector, { attempt: use, routineId }, null);
  const texts = headerTexts(auth);
  const filled: FilledVariables =
    use === null
      ? await secrets.fillTexts(texts, { routineId, environmentId: null, connectorId: id })
      : await secrets.fill(texts, { ...use, connectorId: id });
  if (!filled.ok) return { ok: false, detail: `A secret of its headers can't be used. ${filled.fault.detail}` };
  const unfit = Object.entries(filled.variables).find(([, text]) => !HEADER_TEXT.test(text));
  if (unfit !== undefined) {
    return {
      ok: false,
      detail: `What the secret of the header ${unfit[0]} holds can't stand in a header: printable ASCII on one line can.`,
    };
  }
  return {
    ok: true,
    credential: { headers: new Headers(filled.variables), secrets: filled.secret_values, login: null },
  };
}

async function ofLogin(
  access: CredentialParts["loginAccess"],
  connector: Connector,
  use: LoginUse,
  refused: string | null,
): Promise<CredentialAnswer> {
  const got = await access.tokenOf(connector, use, refused);
  if (!got.ok) return got;
  const { token } = got;
  return {
    ok: true,
    credential: {
      headers: new Headers({ authorization: `Bearer ${token}` }),
      secrets: [token],
      login: {
        renewed: () => ofLogin(access, connector, use, token),
        noteWanted: (scope) => access.noteWanted(connector, scope),
      },
    },
  };
}

/** Header by header, still with `{{NAME}}` in it. */
function headerTexts(auth: Exclude<ConnectorAuth, { type: "oauth" }>): Record<string, string> {
  switch (auth.type) {
    case "none":
      return {};
    case "bearer":
      return { authorization: `Bearer ${auth.token}` };
    case "header":
      return auth.headers;
  }
}
