/** Ids of sessions that servers have begun, bound to an attempt and a connector: another run's opens nothing. Nothing is stored. */
import { toHex } from "#instance/attempt-token.ts";
import type { InForce } from "#instance/in-force.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";

/** Of a stand-in for a server that could not be used: no server's id has a space. */
export const STAND_IN = "stand-in session";

const FORM = /^([0-9a-f]{64})\.([A-Za-z0-9_-]{1,4000})$/;
const encoder = new TextEncoder();

/** What a session belongs to. */
export interface SessionOf {
  lease: LeaseRef;
  connectorId: string;
}

/** @param id as the server has it. @returns it as the agent has it. */
export async function boundSession(signingKeys: InForce, of: SessionOf, id: string): Promise<string> {
  const text = toText(id);
  const [key] = signingKeys;
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", await hmacKey(key), signed(of, text)));
  return `${toHex(mac)}.${text}`;
}

/** @returns the server's own id; null for one that is not of this attempt and connector. */
export async function openedSession(signingKeys: InForce, of: SessionOf, bound: string): Promise<string | null> {
  const [, mac = "", text = ""] = FORM.exec(bound) ?? [];
  const bytes = Uint8Array.from(mac.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const checks = signingKeys.map(async (key) =>
    crypto.subtle.verify("HMAC", await hmacKey(key), bytes, signed(of, text)),
  );
  return (await Promise.all(checks)).includes(true) ? fromText(text) : null;
}

function signed({ lease, connectorId }: SessionOf, text: string) {
  return encoder.encode(`mcp-session/${lease.run_id}/${lease.generation}/${connectorId}/${text}`);
}

function hmacKey(key: string) {
  return crypto.subtle.importKey("raw", encoder.encode(key), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);
}

/** Headers are Latin-1, so every character is a byte. */
function toText(id: string): string {
  return btoa(id).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromText(text: string): string {
  return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
}
