/**
 * Secrets of webhook endpoints: encrypted at rest, two in force while a rotation overlaps, and those that nobody has
 * confirmed.
 */
import { and, asc, count, desc, eq, sql } from "drizzle-orm";
import type { KeyRing, Opened, Place, Unreadable } from "#instance/key-ring.ts";
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

export interface SecretsInForce {
  secrets: string[];
  /** Why one of them can't be decrypted; null when all can be. */
  unreadable: Unreadable | null;
  /** Whether one was encrypted with the key before. */
  isStale: boolean;
}

export interface SealedAnew {
  /** As it is stored → encrypted with the present key. */
  anew: Map<string, string>;
  /** Of those before nothing is told: the endpoint has a newer one. */
  unreadable: { triggerId: string; fault: Unreadable }[];
}

/** A request that brought a secret. */
export interface Bringer {
  ip: string | null;
  userAgent: string | null;
}

export class EndpointSecrets {
  readonly #database: Database;
  readonly #ring: KeyRing;

  constructor(database: Database, ring: KeyRing) {
    this.#database = database;
    this.#ring = ring;
  }

  /** The secrets in force, newest first. One that can't be decrypted is in force for nobody. */
  async inForce(triggerId: string, nowMs: number): Promise<SecretsInForce> {
    const row = this.#row(triggerId);
    const sealed = row === undefined ? [] : [row.secret, ...accepted(row.previous, nowMs).map(({ secret }) => secret)];
    const opened = await Promise.all(sealed.map((text) => this.#open(triggerId, text)));
    const readable = opened.filter((one) => one.ok);
    const unreadable = opened.find((one) => !one.ok)?.fault ?? null;
    return { secrets: readable.map(({ text }) => text), unreadable, isStale: readable.some(({ isStale }) => isStale) };
  }

  /** Encrypts a secret, to be kept by `keep`. */
  seal(triggerId: string, secret: string): Promise<string> {
    return this.#ring.seal(placeOf(triggerId), secret);
  }

  /** Encrypts anew what was encrypted with the key before, of all endpoints: to be written by `replace`. */
  async sealAnew(): Promise<SealedAnew> {
    const rows = this.#database.select().from(endpoints).all();
    const kept = rows.flatMap(({ triggerId, secret, previous }) =>
      [secret, ...previous.map((one) => one.secret)].map((sealed, place) => ({
        triggerId,
        sealed,
        isBefore: place > 0,
      })),
    );
    const waiting = this.#database.select().from(handedOver).all();
    const all = [...kept, ...waiting.map(({ triggerId, secret }) => ({ triggerId, sealed: secret, isBefore: false }))];
    const found: SealedAnew = { anew: new Map(), unreadable: [] };
    for (const { triggerId, sealed, isBefore } of all) {
      const opened = await this.#open(triggerId, sealed);
      if (!opened.ok && !isBefore) found.unreadable.push({ triggerId, fault: opened.fault });
      if (opened.ok && opened.isStale) found.anew.set(sealed, await this.seal(triggerId, opened.text));
    }
    return found;
  }

  /** Puts what was encrypted anew in the place of what it was made of. What has changed meanwhile stays. */
  replace(tx: Tx, { anew }: SealedAnew): void {
    const newOf = (sealed: string) => anew.get(sealed) ?? sealed;
    for (const { triggerId, secret, previous } of this.#database.select().from(endpoints).all()) {
      const values = {
        secret: newOf(secret),
        previous: previous.map((one) => ({ ...one, secret: newOf(one.secret) })),
      };
      tx.database.update(endpoints).set(values).where(eq(endpoints.triggerId, triggerId)).run();
    }
    for (const [sealed, secret] of anew) {
      tx.database.update(handedOver).set({ secret }).where(eq(handedOver.secret, sealed)).run();
    }
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
    const opened = await Promise.all(
      rows.map(async ({ id, secret, at, lastAt, times, ip, userAgent }) => {
        const found = await this.#open(triggerId, secret);
        return found.ok ? [{ id, secret: found.text, atMs: at, lastAtMs: lastAt, times, ip, userAgent }] : [];
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

  #open(triggerId: string, sealed: string): Promise<Opened> {
    return this.#ring.open(placeOf(triggerId), sealed);
  }
}

function placeOf(triggerId: string): Place {
  return { kind: "endpoint-secret", id: triggerId };
}

function accepted(previous: Previous, nowMs: number): Previous {
  return previous.filter(({ untilMs }) => untilMs > nowMs);
}
