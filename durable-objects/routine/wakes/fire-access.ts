/** Who may fire and who may watch: the routine's token, its rate, tickets, and counts of who was turned away. */
import { and, eq, gt, lte, sql } from "drizzle-orm";
import type { Config } from "#instance/config.ts";
import { hashSecret, isSameHash, makeSecret } from "#instance/secrets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { TICKET_LIFETIME_MS } from "#protocol/viewer.ts";
import { type Bucket, takeToken } from "#rules/token-bucket.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import { counters, tickets } from "../schema.ts";
import type { Access } from "../viewers/access.ts";
import type { Tx, Work } from "../work.ts";

/** Counts are written together, so that a flood of refusals is not a flood of writes. */
const COUNT_DELAY_MS = 1_000;

export class Doorkeeper {
  readonly #work: Work;
  readonly #config: Config;
  #bucket: Bucket | null = null;
  #counted = new Map<string, number>();

  constructor(work: Work, config: Config) {
    this.#work = work;
    this.#config = config;
  }

  /** Whether this is the routine's token. A wrong one is counted. */
  checkToken(routine: RoutineRow, presentedHash: string): Result<null> {
    if (routine.tokenHash !== null && isSameHash(routine.tokenHash, presentedHash)) return success(null);
    this.#count("routine_token_invalid");
    return refuse("routine_token_invalid");
  }

  /** Whether a fire with this token may go on to admission. Synchronous: nothing happens between this and admission. */
  admitFire(routine: RoutineRow, presentedHash: string, nowMs: number): Result<null> {
    const known = this.checkToken(routine, presentedHash);
    if (!known.ok) return known;
    const { fireRatePerMinute: perMinute, fireBurst: burst } = this.#config;
    const { bucket, retryAfterS } = takeToken(this.#bucket, { perMinute, burst }, nowMs);
    this.#bucket = bucket;
    if (retryAfterS === null) return success(null);
    this.#count("rate_limited");
    return refuse("rate_limited", { retry_after_s: retryAfterS });
  }

  countQueueFull(): void {
    this.#count("queue_full");
  }

  /** A ticket for one upgrade to one session, within 60 seconds. @param access by what the asker was let in. */
  async issueTicket(sessionId: string, access: Access): Promise<string> {
    const ticket = makeSecret("rvt_");
    const hash = await hashSecret(ticket);
    this.#work.change((tx) => {
      tx.database.delete(tickets).where(lte(tickets.expiresAt, tx.nowMs)).run();
      tx.database
        .insert(tickets)
        .values({ hash, sessionId, expiresAt: tx.nowMs + TICKET_LIFETIME_MS, ...columnsOf(access) })
        .run();
    });
    return ticket;
  }

  /** @returns the access that the ticket stands for, or null when it is not good for this session; it is used up either way. */
  async useTicket(ticket: string, sessionId: string): Promise<Access | null> {
    const hash = await hashSecret(ticket);
    const used = this.#work.change((tx) =>
      tx.database
        .delete(tickets)
        .where(and(eq(tickets.hash, hash), gt(tickets.expiresAt, tx.nowMs)))
        .returning()
        .get(),
    );
    if (used?.sessionId !== sessionId || used.authority === null) return null;
    return { session: used.access, untilMs: used.accessUntil, authority: used.authority };
  }

  #count(name: string): void {
    if (this.#counted.size === 0) setTimeout(() => this.#work.change((tx) => this.#writeCounts(tx)), COUNT_DELAY_MS);
    this.#counted.set(name, (this.#counted.get(name) ?? 0) + 1);
  }

  #writeCounts(tx: Tx): void {
    for (const [name, count] of this.#counted) {
      tx.database
        .insert(counters)
        .values({ name, count })
        .onConflictDoUpdate({ target: counters.name, set: { count: sql`${counters.count} + ${count}` } })
        .run();
    }
    this.#counted = new Map();
  }
}

function columnsOf({ session, untilMs, authority }: Access) {
  return { access: session, accessUntil: untilMs, authority };
}
