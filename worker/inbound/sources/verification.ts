/** The results of checking who sent a request, as short functions for listeners. */
import type { VerificationFailure } from "#protocol/delivery.ts";
import type { Verification } from "./listener.ts";

export const verified: Verification = { ok: true };

export function unverified(failure: VerificationFailure): Verification {
  return { ok: false, failure };
}

/** The token of a header `Authorization: Bearer …`, or why there is none. Spelt just so: one scheme, one space. */
export function strictBearerToken(headers: Headers): { token: string } | { failure: VerificationFailure } {
  const header = headers.get("authorization");
  if (header === null || header === "") return { failure: "token_missing" };
  const token = /^Bearer ([!-~]+)$/.exec(header)?.[1];
  return token === undefined ? { failure: "signature_malformed" } : { token };
}
