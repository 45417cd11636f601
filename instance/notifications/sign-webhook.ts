/**
 * Signs webhooks as the Standard Webhooks specification 1.0.0 has it. Each address has a key of its own, made of the instance's:
 * nothing of it is stored, and who has one can sign for no other address.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import type { InForce } from "../in-force.ts";

const encoder = new TextEncoder();

/** The keys of an address, as bytes in base64: one for each of the instance's that is in force, the present one first. */
export function signingKeysOf(signingKeys: InForce, address: string): Promise<string[]> {
  const made = signingKeys.map((key) => hmac(new Uint8Array(encoder.encode(key)), `notification-key/${address}`));
  return Promise.all(made.map(async (bytes) => base64(await bytes)));
}

/** As people give it to a verifier. */
export function shownKey(key: string): string {
  return `whsec_${key}`;
}

export interface WebhookMessage {
  /** The same each time that it is sent. */
  id: string;
  body: string;
  /** Of this try, in Unix milliseconds. */
  nowMs: number;
}

/** The headers of one try. While the instance's key is changed there are two signatures, of which a verifier takes either. */
export async function signedHeaders({ id, body, nowMs }: WebhookMessage, keys: readonly string[]) {
  const time = String(Math.floor(nowMs / 1_000));
  const signatures = keys.map(async (key) => {
    const bytes = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0));
    return `v1,${base64(await hmac(bytes, `${id}.${time}.${body}`))}`;
  });
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": time,
    "webhook-signature": (await Promise.all(signatures)).join(" "),
  };
}

async function hmac(secret: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
