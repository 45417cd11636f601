/** Asks a connector's server with the connector's credential, and once more with a renewed one where it is a login that the server refuses. */
import type { Connector } from "#protocol/connector.ts";
import { askOutside, type OutsideAnswer, type OutsideOptions, type OutsideRequest } from "./ask-outside.ts";
import type { Credential } from "./credential.ts";

/** `refusal` is a clause that follows the server, of an answer 401 or 403. */
export type SignedAnswer = OutsideAnswer & { credential: Credential; refusal: string | null };

/** Rejects only where D1 gives no answer. */
export async function askSigned(
  outside: OutsideOptions,
  { url, auth }: Pick<Connector, "url" | "auth">,
  credential: Credential,
  request: Omit<OutsideRequest, "url" | "credential" | "isCredentialForPath" | "redirects">,
): Promise<SignedAnswer> {
  const ask = ({ headers }: Credential) =>
    askOutside(
      { ...request, url, credential: headers, isCredentialForPath: auth.type === "oauth", redirects: "own_origin" },
      outside,
    );
  const first = await ask(credential);
  const { login } = credential;
  if (!first.ok || (first.answer.status !== 401 && first.answer.status !== 403))
    return { ...first, credential, refusal: null };
  const { status } = first.answer;
  if (login === null) {
    const words = auth.type === "none" ? "wants a credential" : "refuses the credential that it was given";
    return { ...first, credential, refusal: `${words}: it answered ${status}.` };
  }
  if (status === 403) {
    const { extractWWWAuthenticateParams } = await import("@modelcontextprotocol/client");
    const { error, scope } = extractWWWAuthenticateParams(first.answer);
    const wanted = error === "insufficient_scope" ? await login.noteWanted(scope) : null;
    const words =
      error === "insufficient_scope"
        ? `wants a scope that the login does not have${wanted === null ? "" : `: ${wanted}`}. Log in again.`
        : "lets the login not do this: it answered 403.";
    return { ...first, credential, refusal: words };
  }
  const renewed = await login.renewed();
  if (!renewed.ok) return { ...first, credential, refusal: `refuses the login: it answered 401. ${renewed.detail}` };
  await first.answer.body?.cancel().catch(() => undefined);
  const second = await ask(renewed.credential);
  const isRefused = second.ok && (second.answer.status === 401 || second.answer.status === 403);
  const refusal = isRefused
    ? `refuses the login, though it has just been renewed: it answered ${second.answer.status}. Log in again.`
    : null;
  return { ...second, credential: renewed.credential, refusal };
}
