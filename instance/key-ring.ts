/**
 * The one way in which secrets are kept at rest: AES-256-GCM with keys that are derived from the instance's signing keys. What
 * is encrypted carries the id of its key and is bound to its place: copied to another place, it can't be decrypted.
 */
import { toHex } from "./attempt-token.ts";
import type { InForce } from "./in-force.ts";

/** Where a secret is kept: what it is, and whose. */
export interface Place {
  kind: "endpoint-secret" | "github-app" | "secret" | "lfs-object" | "connector-login" | "connector-login-state";
  /** Of an endpoint's secret the trigger's id; of a secret that people have given its name; of an object the run and its repository; of a login its connector. */
  id: string;
}

/** Why a secret can't be decrypted: `key_unknown` as long as no key in force has its id, `damaged` when it is not as it was written. */
export type Unreadable = "key_unknown" | "damaged";

export type Opened =
  | {
      ok: true;
      text: string;
      /** It was encrypted with the key before, or in an earlier form: it has to be encrypted anew before that key goes. */
      isStale: boolean;
    }
  | { ok: false; fault: Unreadable };

interface RingKey {
  /** 16 characters of hex. Nothing of the key can be found out by it. */
  id: string;
  key: CryptoKey;
  /** The key of version 0.1, which encrypted secrets of endpoints alone and gave no id. */
  unnamedKey: CryptoKey;
}

const FORM = "rk1";
const NONCE_BYTES = 12;
const KEY_ID_BYTES = 8;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class KeyRing {
  readonly #signingKeys: InForce;
  #keys: Promise<RingKey[]> | null = null;

  /** @param signingKeys the first encrypts; each of them decrypts. */
  constructor(signingKeys: InForce) {
    this.#signingKeys = signingKeys;
  }

  /** Encrypts a text for its place. @returns `rk1.<key's id>.<base64>`. */
  async seal(place: Place, text: string): Promise<string> {
    const [current] = await this.#derived();
    if (current === undefined) throw new RangeError("the ring has no key");
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const algorithm = { name: "AES-GCM", iv: nonce, additionalData: new Uint8Array(boundTo(current.id, place)) };
    const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, current.key, encoder.encode(text)));
    return [FORM, current.id, btoa(String.fromCharCode(...nonce, ...sealed))].join(".");
  }

  /** Decrypts what `seal` has made for the same place, with whichever key in force it was made. Never throws. */
  async open(place: Place, sealed: string): Promise<Opened> {
    const keys = await this.#derived();
    const parts = sealed.split(".");
    if (parts.length === 1) return openUnnamed(keys, place, sealed);
    const [form, id = "", content = ""] = parts;
    if (form !== FORM || parts.length !== 3) return { ok: false, fault: "damaged" };
    const at = keys.findIndex((one) => one.id === id);
    const found = keys[at];
    if (found === undefined) return { ok: false, fault: "key_unknown" };
    const text = await decrypted(found.key, boundTo(id, place), content);
    return text === null ? { ok: false, fault: "damaged" } : { ok: true, text, isStale: at > 0 };
  }

  #derived(): Promise<RingKey[]> {
    this.#keys ??= Promise.all(this.#signingKeys.map(deriveKeys));
    return this.#keys;
  }
}

/** Without an id nobody can tell another key from damage; another key is by far the likelier. */
async function openUnnamed(keys: readonly RingKey[], { kind, id }: Place, sealed: string): Promise<Opened> {
  if (kind !== "endpoint-secret") return { ok: false, fault: "damaged" };
  for (const { unnamedKey } of keys) {
    const text = await decrypted(unnamedKey, encoder.encode(id), sealed);
    if (text !== null) return { ok: true, text, isStale: true };
  }
  return { ok: false, fault: "key_unknown" };
}

/** @returns null for what this key has not encrypted for this place, or has changed since. */
async function decrypted(key: CryptoKey, place: Uint8Array, content: string) {
  try {
    const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
    const algorithm = { name: "AES-GCM", iv: bytes.subarray(0, NONCE_BYTES), additionalData: new Uint8Array(place) };
    return decoder.decode(await crypto.subtle.decrypt(algorithm, key, bytes.subarray(NONCE_BYTES)));
  } catch {
    return null;
  }
}

function boundTo(keyId: string, { kind, id }: Place): Uint8Array {
  return encoder.encode([FORM, keyId, kind, id].join("/"));
}

async function deriveKeys(signingKey: string): Promise<RingKey> {
  const raw = encoder.encode(signingKey);
  const root = await crypto.subtle.importKey("raw", raw, "HKDF", false, ["deriveKey", "deriveBits"]);
  const use = (info: string) => {
    return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(info) };
  };
  const keyFor = (info: string) =>
    crypto.subtle.deriveKey(use(info), root, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const [id, key, unnamedKey] = await Promise.all([
    crypto.subtle.deriveBits(use("key-ring/id"), root, KEY_ID_BYTES * 8),
    keyFor("key-ring/key"),
    keyFor("endpoint-secrets"),
  ]);
  return { id: toHex(new Uint8Array(id)), key, unnamedKey };
}
