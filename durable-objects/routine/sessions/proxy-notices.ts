/** What is counted of an attempt's proxies, and which of their notices its transcript has already: an agent may run into the same rule a thousand times. */
import { and, eq, gt, lt, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { counters } from "../schema.ts";
import type { Tx } from "../work.ts";

/** What a proxy refused a run, or did otherwise than it was asked. */
export interface ProxyNotice {
  /** A stable code. */
  code: string;
  message: string;
}

/** How many different notices of one code the transcript gets in an attempt: what there is too much of hides nothing else. */
const NOTICES_KEPT = 50;
const MESSAGE_LENGTH = 1_000;

export class ProxyNotices {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Counts the notice. @param attempt names the run's attempt. @returns true when the transcript is to have it: each notice
   * once, and a bounded number of each code.
   */
  isNew(tx: Tx, attempt: string, { code, message }: ProxyNotice): boolean {
    const alike = `${attempt} ${code}`;
    const name = `${alike} ${message.slice(0, MESSAGE_LENGTH)}`;
    const [counted] = tx.database
      .update(counters)
      .set({ count: sql`${counters.count} + 1` })
      .where(eq(counters.name, name))
      .returning({ count: counters.count })
      .all();
    if (counted !== undefined) return false;
    const shown = this.#database
      .select({ name: counters.name })
      .from(counters)
      .where(and(gt(counters.name, `${alike} `), lt(counters.name, `${alike}!`)))
      .limit(NOTICES_KEPT)
      .all();
    if (shown.length >= NOTICES_KEPT) return false;
    tx.database.insert(counters).values({ name, count: 1 }).run();
    return true;
  }

  /** @returns how often that was counted, with this time; null when it was so often before that it is not counted any more. */
  count(tx: Tx, name: string, limit: number): number | null {
    const [counted] = tx.database
      .insert(counters)
      .values({ name, count: 1 })
      .onConflictDoUpdate({
        target: counters.name,
        set: { count: sql`${counters.count} + 1` },
        setWhere: lt(counters.count, limit),
      })
      .returning({ count: counters.count })
      .all();
    return counted?.count ?? null;
  }
}
