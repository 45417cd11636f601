/** Tokens as Google signs them for a push subscription, signed with a key of the tests' own. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { GOOGLE_KEYS_URL } from "#worker/inbound/sources/google-token.ts";

export const AUDIENCE = "https://example.com";
export const SERVICE_ACCOUNT = "gae-gcp@appspot.gserviceaccount.com";
/** Of the token that the documentation shows. */
const KEY_ID = "7d680d8c70d44e947133cbd499ebc1a61c3d5abc";

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let pair: Promise<Pair> | undefined;

function ownPair(): Promise<Pair> {
  pair ??= generateKeyPair("RS256", { extractable: true });
  return pair;
}

export interface TokenChange {
  claims?: Record<string, unknown>;
  header?: Record<string, string | undefined>;
  /** In place of the key that the issuer lists. */
  key?: Pair["privateKey"] | Uint8Array;
}

/**
 * The claims of the documented token, with these times.
 * @see https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions (JWT format)
 */
export async function googleToken(atMs: number, { claims, header, key }: TokenChange = {}): Promise<string> {
  const issuedAt = Math.floor(atMs / 1_000);
  const payload = {
    aud: AUDIENCE,
    azp: "113774264463038321964",
    email: SERVICE_ACCOUNT,
    email_verified: true,
    exp: issuedAt + 3_600,
    iat: issuedAt,
    iss: "https://accounts.google.com",
    sub: "113774264463038321964",
    ...claims,
  };
  const protectedHeader = { alg: "RS256", kid: KEY_ID, typ: "JWT", ...header };
  return new SignJWT(payload).setProtectedHeader(protectedHeader).sign(key ?? (await ownPair()).privateKey);
}

/** The document with the issuer's keys, as Google writes it. */
export async function googleKeys(kid: string = KEY_ID) {
  const { kty = "RSA", n, e } = await exportJWK((await ownPair()).publicKey);
  return { keys: [{ kty, n, e, kid, alg: "RS256", use: "sig" }] };
}

export async function fetchGoogleKeys(url: string): Promise<unknown> {
  if (url !== GOOGLE_KEYS_URL) throw new Error(`unforeseen keys: ${url}`);
  return googleKeys();
}
