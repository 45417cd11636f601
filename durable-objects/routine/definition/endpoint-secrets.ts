/**
 * Secrets of webhook endpoints: encrypted at rest, two in force while a rotation overlaps, and those that nobody has
 * confirmed.
 */
import { and, asc, count, desc, eq, sql } from "drizzle-orm";
import type { HandedOver } from "#instance/object-contracts.ts";
import type { Database } from "../database.ts";
import { endpoints, handedOver } from "../schema.ts";
import type { Tx } from "../work.ts";

/** For so long the secret before is accepted too. */
export const ROTATION_OVERLAP_MS = 24 * 3_600_000;

/** Who rotates oftener within the overlap shuts out the oldest. */
const PREVIOUS_KEPT = 4;

type Previous = (typeof endpoints.$inferSelect)["previous"];

/**
 * How many unconfirmed secrets are kept, the newest: strangers may send some too, and an owner who has the source send its
 * secret again finds it among them.
 */
const HANDED_OVER_KEPT = 10;

export interface EndpointState {
  /** Until when the secret before is accepted too, or null, in Unix milliseconds; null for an endpoint without a secret. */
  secret: { previousUntilMs: number | null } | null;
  /** How many secrets the owner has not confirmed yet. */
  handedOver: number;
}

/** A request that brought a secret. */
export interface Bringer {
  ip: string | null;
  userAgent: string | null;
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
   * What was handed over and not confirmed is forgotten. @param sealed from `seal`.
   */
  keep(tx: Tx, triggerId: string, sealed: string): void {
    const { nowMs } = tx;
    const before = this.#row(triggerId);
    const replaced = before === undefined ? [] : [{ secret: before.secret, untilMs: nowMs + ROTATION_OVERLAP_MS }];
    const previous = [...replaced, ...accepted(before?.previous ?? [], nowMs)].slice(0, PREVIOUS_KEPT);
    const values = { triggerId, secret: sealed, previous, isUnseen: false };
    tx.database.insert(endpoints).values(values).onConflictDoUpdate({ target: endpoints.triggerId, set: values }).run();
    this.#forgetHandedOver(tx, triggerId);
  }

  /**
   * Keeps a secret that somebody has brought: in force for nobody. @param sealed from `seal`. @param id names it, and tells
   * a repeat.
   */
  handOver(tx: Tx, triggerId: string, { id, sealed }: { id: string; sealed: string }, from: Bringer): void {
    const { nowMs } = tx;
    const seen = { lastAt: nowMs, ...from };
    tx.database
      .insert(handedOver)
      .values({ triggerId, id, secret: sealed, at: nowMs, times: 1, ...seen })
      .onConflictDoUpdate({
        target: [handedOver.triggerId, handedOver.id],
        set: { ...seen, times: sql`${handedOver.times} + 1` },
      })
      .run();
    const kept = tx.database
      .select({ id: handedOver.id })
      .from(handedOver)
      .where(eq(handedOver.triggerId, triggerId))
      .orderBy(desc(handedOver.lastAt), asc(handedOver.id))
      .limit(HANDED_OVER_KEPT);
    tx.database
      .delete(handedOver)
      .where(and(eq(handedOver.triggerId, triggerId), sql`${handedOver.id} NOT IN ${kept}`))
      .run();
  }

  /** The secrets that the owner has not confirmed yet, newest first. */
  async handedOver(triggerId: string): Promise<HandedOver[]> {
    const rows = this.#database
      .select()
      .from(handedOver)
      .where(eq(handedOver.triggerId, triggerId))
      .orderBy(desc(handedOver.lastAt), asc(handedOver.id))
      .all();
    const key = await this.#key();
    const opened = await Promise.all(
      rows.map(async ({ id, secret, at, lastAt, times, ip, userAgent }) => {
        const text = await open(key, triggerId, secret);
        return text === null ? [] : [{ id, secret: text, atMs: at, lastAtMs: lastAt, times, ip, userAgent }];
      }),
    );
    return opened.flat();
  }

  state(triggerId: string, nowMs: number): EndpointState {
    const row = this.#row(triggerId);
    const [newest] = accepted(row?.previous ?? [], nowMs);
    const secret = row === undefined ? null : { previousUntilMs: newest?.untilMs ?? null };
    return { secret, handedOver: this.handedOverCount(triggerId) };
  }

  handedOverCount(triggerId: string): number {
    const query = this.#database.select({ n: count() }).from(handedOver).where(eq(handedOver.triggerId, triggerId));
    return query.get()?.n ?? 0;
  }

  /** Ends all secrets of an endpoint at once: what leaked must not stay good for a day. */
  clear(tx: Tx, triggerId: string): void {
    tx.database.delete(endpoints).where(eq(endpoints.triggerId, triggerId)).run();
    this.#forgetHandedOver(tx, triggerId);
  }

  /** Forgets the secrets of triggers that the routine has no more. */
  retain(tx: Tx, triggerIds: readonly string[]): void {
    // All ids are bound as one text: a statement takes a hundred values.
    const kept = sql`(SELECT value FROM json_each(${JSON.stringify(triggerIds)}))`;
    for (const table of [endpoints, handedOver]) {
      tx.database.delete(table).where(sql`${table.triggerId} NOT IN ${kept}`).run();
    }
  }

  #forgetHandedOver(tx: Tx, triggerId: string): void {
    tx.database.delete(handedOver).where(eq(handedOver.triggerId, triggerId)).run();
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

/** The encryption is bound to the trigger: copied to another trigger's row, a secret can't be decrypted. */
async function seal(key: CryptoKey, triggerId: string, secret: string): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: encoder.encode(triggerId) };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, encoder.encode(secret)));
  return btoa(String.fromCharCode(...nonce, ...sealed));
}

/** @returns null when it was encrypted with another key. */
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
