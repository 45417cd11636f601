/** Asks authorization servers to revoke logins that have ended here: RFC 7009, where their metadata tell how. */
import { secretOf } from "#instance/connectors/oauth/ask-tokens.ts";
import { openedLogin } from "#instance/connectors/oauth/kept-login.ts";
import type { LoginParts } from "#instance/connectors/oauth/login-parts.ts";
import { safeFetch } from "#instance/connectors/oauth/safe-fetch.ts";
import type { ConnectorRevocations, RevocationRow } from "#instance/d1/connector-revocations.ts";

type RevokeParts = LoginParts & { revocations: ConnectorRevocations };

const DEADLINE_MS = 15_000;
/** Whoever has not answered by then is not asked again: what was given ends when it expires. */
const ATTEMPTS_AT_MOST = 5;

/** Those that are due, each once. May run twice at once: each is taken by one. @throws where D1 gives no answer. */
export async function revokeOwed(parts: RevokeParts, nowMs: number): Promise<void> {
  const rows = await parts.revocations.take(nowMs);
  await Promise.all(
    rows.map(async (row) => {
      const isSettled = await revoke(parts, row);
      if (isSettled || row.attempts >= ATTEMPTS_AT_MOST) await parts.revocations.settle(row.id);
    }),
  );
}

/** @returns whether nothing would come of asking again: it is revoked, refused, or can't be. */
async function revoke(parts: LoginParts, row: RevocationRow): Promise<boolean> {
  const login = await openedLogin(parts.ring, row.connector_id, row.sealed);
  const endpoint = login?.server.revocation_endpoint ?? null;
  if (login === null || login.tokens === null || login.client === null || endpoint === null) return true;
  const { client, tokens } = login;
  const auth = { type: "oauth" as const, client_id: client.client_id, client_secret: row.client_secret ?? undefined };
  const use = { attempt: null, routineId: null };
  try {
    const secret = await secretOf(parts, { id: row.connector_id, auth }, client, use);
    if (!secret.ok) return false;
    const body = new URLSearchParams(
      // With it goes all that was given for it.
      tokens.refresh_token === null
        ? { token: tokens.access_token, token_type_hint: "access_token" }
        : { token: tokens.refresh_token, token_type_hint: "refresh_token" },
    );
    const headers = new Headers({ "content-type": "application/x-www-form-urlencoded", accept: "application/json" });
    if (secret.value !== null && client.token_endpoint_auth_method !== "client_secret_post")
      headers.set("authorization", `Basic ${btoa(`${formText(client.client_id)}:${formText(secret.value)}`)}`);
    else {
      body.set("client_id", client.client_id);
      if (secret.value !== null) body.set("client_secret", secret.value);
    }
    const { fetch } = safeFetch(parts.outside, AbortSignal.timeout(DEADLINE_MS));
    const answer = await fetch(endpoint, { method: "POST", headers, body });
    await answer.body?.cancel();
    return answer.status < 500 && answer.status !== 429;
  } catch {
    return false;
  }
}

/** RFC 6749, section 2.3.1: as in a form. */
function formText(text: string): string {
  return new URLSearchParams({ text }).toString().slice("text=".length);
}
