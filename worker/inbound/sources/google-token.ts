/** OpenID Connect tokens that Google signs for a service account: strict in their form, then checked against Google's keys. */
import { createLocalJWKSet, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import { base64Bytes } from "./hmac.ts";
import { keepIssuerKeys } from "./issuer-keys.ts";
import type { Verification, VerifyContext } from "./listener.ts";
import { unverified, verified } from "./verification.ts";

export const GOOGLE_KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs";
const ISSUERS = ["https://accounts.google.com", "accounts.google.com"];
const ALGORITHM = "RS256";
/** Google's tokens live an hour. */
const LIFE_SECONDS = 3_600;
const CLOCK_TOLERANCE_SECONDS = 30;
const PARTS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;
/** Of which claim it is a matter of time. */
const TIMES = ["exp", "nbf", "iat"];

const googleKeys = keepIssuerKeys();

/** @param keys those of this process; others in tests. */
export async function verifyGoogleToken(
  token: string,
  { settings, nowMs, fetchKeys }: VerifyContext,
  keys = googleKeys,
): Promise<Verification> {
  const kid = keyIdOf(token);
  if (kid === null) return unverified("signature_malformed");
  if (settings.pubsub === null) return unverified("token_wrong");
  let issued: Awaited<ReturnType<typeof keys.find>>;
  try {
    issued = await keys.find(GOOGLE_KEYS_URL, kid, nowMs, fetchKeys);
  } catch {
    return unverified("keys_unreachable");
  }
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(issued), {
      algorithms: [ALGORITHM],
      issuer: ISSUERS,
      audience: settings.pubsub.audience ?? settings.url,
      requiredClaims: ["exp", "iat", "email"],
      maxTokenAge: LIFE_SECONDS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(nowMs),
    });
    return isOf(payload, settings.pubsub.service_account) ? verified : unverified("token_wrong");
  } catch (error) {
    return unverified(isLate(error) ? "time_out_of_range" : "token_wrong");
  }
}

/** The id of the key that the token names; null where the token is not spelt as one of Google's. */
function keyIdOf(token: string): string | null {
  const parts = PARTS.exec(token);
  // The last character may hold bits that mean nothing: one signature has one spelling.
  if (parts === null || parts.slice(1).some((part) => base64UrlBytes(part) === null)) return null;
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return alg === ALGORITHM && typeof kid === "string" && kid !== "" ? kid : null;
  } catch {
    return null;
  }
}

function base64UrlBytes(text: string): Uint8Array | null {
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  return base64Bytes(standard.padEnd(Math.ceil(standard.length / 4) * 4, "="));
}

function isOf(claims: JWTPayload, serviceAccount: string): boolean {
  return claims["email"] === serviceAccount && claims["email_verified"] === true;
}

/** The signature is checked before the claims: what comes here as late was signed by Google. */
function isLate(error: unknown): boolean {
  if (error instanceof errors.JWTExpired) return true;
  return (
    error instanceof errors.JWTClaimValidationFailed && error.reason === "check_failed" && TIMES.includes(error.claim)
  );
}
