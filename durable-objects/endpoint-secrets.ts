/** Secrets of webhook endpoints: encrypted at rest, two in force while a rotation overlaps. */
import { eq, sql } from "drizzle-orm";
import type { Database } from "./routine-database.ts";
import { endpoints } from "./routine-schema.ts";

/** For so long the secret before is accepted too. */
export const ROTATION_OVERLAP_MS = 24 * 3_600_000;

/** Who rotates oftener within the overlap shuts out the oldest. */
const PREVIOUS_KEPT = 4;

type Previous = (typeof endpoints.$inferSelect)["previous"];

export interface EndpointState {
  /** Until when the secret before is accepted too; null when there is none. Unix milliseconds. */
  previousUntilMs: number | null;
}

export class EndpointSecrets {
  readonly #database: Database;
  readonly #signingKey: string;

  /** @param signingKey the instance's SIGNING_KEY, from which the key that encrypts is derived. */
  constructor(database: Database, signingKey: string) {
    this.#database = database;
    this.#signingKey = signingKey;
  }

  /** The secrets in force, newest first. One that was encrypted under another SIGNING_KEY is lost, and in force for nobody. */
  async inForce(triggerId: string, nowMs: number): Promise<string[]> {
    const row = this.#row(triggerId);
    if (row === undefined) return [];
    const sealed = [row.secret, ...accepted(row.previous, nowMs).map(({ secret }) => secret)];
    const key = await this.#key();
    const opened = await Promise.all(sealed.map((text) => open(key, triggerId, text)));
    return opened.filter((secret) => secret !== null);
  }

  /** Encrypts a secret, to be kept by `keep`. */
  async seal(triggerId: string, secret: string): Promise<string> {
    return seal(await this.#key(), triggerId, secret);
  }

  /**
   * Puts a secret in force; those before stay so for a while, each from its own replacement on.
   * @param sealed from `seal`. @param isUnseen the source has handed it over, and a person has to see it once.
   */
  keep(triggerId: string, sealed: string, isUnseen: boolean, nowMs: number): void {
    const before = this.#row(triggerId);
    const replaced = before === undefined ? [] : [{ secret: before.secret, untilMs: nowMs + ROTATION_OVERLAP_MS }];
    const previous = [...replaced, ...accepted(before?.previous ?? [], nowMs)].slice(0, PREVIOUS_KEPT);
    const values = { triggerId, secret: sealed, previous, isUnseen };
    this.#database
      .insert(endpoints)
      .values(values)
      .onConflictDoUpdate({ target: endpoints.triggerId, set: values })
      .run();
  }

  /** The secret that the source has handed over, for the first who asks; null when there is none, or it was seen. */
  async takeUnseen(triggerId: string): Promise<string | null> {
    const row = this.#row(triggerId);
    if (row?.isUnseen !== true) return null;
    this.#database.update(endpoints).set({ isUnseen: false }).where(eq(endpoints.triggerId, triggerId)).run();
    return open(await this.#key(), triggerId, row.secret);
  }

  /** @returns null for an endpoint without a secret. */
  state(triggerId: string, nowMs: number): EndpointState | null {
    const row = this.#row(triggerId);
    if (row === undefined) return null;
    const [newest] = accepted(row.previous, nowMs);
    return { previousUntilMs: newest?.untilMs ?? null };
  }

  /** Forgets the secrets of triggers that the routine has no more. */
  retain(triggerIds: readonly string[]): void {
    this.#database
      .delete(endpoints)
      // As one text: a statement takes a hundred values.
      .where(sql`${endpoints.triggerId} NOT IN (SELECT value FROM json_each(${JSON.stringify(triggerIds)}))`)
      .run();
  }

  #row(triggerId: string) {
    return this.#database.select().from(endpoints).where(eq(endpoints.triggerId, triggerId)).get();
  }

  async #key(): Promise<CryptoKey> {
    const raw = await crypto.subtle.importKey("raw", encoder.encode(this.#signingKey), "HKDF", false, ["deriveKey"]);
    const use = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode("endpoint-secrets") };
    return crypto.subtle.deriveKey(use, raw, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  }
}

function accepted(previous: Previous, nowMs: number): Previous {
  return previous.filter(({ untilMs }) => untilMs > nowMs);
}

const NONCE_BYTES = 12;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bound to its trigger: moved to another row, it opens nothing. */
async function seal(key: CryptoKey, triggerId: string, secret: string): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: encoder.encode(triggerId) };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, encoder.encode(secret)));
  return btoa(String.fromCharCode(...nonce, ...sealed));
}

/** @returns null when another key sealed it. */
async function open(key: CryptoKey, triggerId: string, text: string): Promise<string | null> {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const algorithm = {
    name: "AES-GCM",
    iv: bytes.subarray(0, NONCE_BYTES),
    additionalData: encoder.encode(triggerId),
  };
  try {
    return decoder.decode(await crypto.subtle.decrypt(algorithm, key, bytes.subarray(NONCE_BYTES)));
  } catch {
    return null;
  }
}
