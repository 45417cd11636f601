/** By what a viewer is let in, and whether that still holds. */
import { eq, lte } from "drizzle-orm";
import { z } from "zod";
import type { Database } from "../database.ts";
import { revokedAccesses, tickets } from "../schema.ts";
import type { Work } from "../work.ts";

export const accessSchema = z.object({
  /** The hash of a web session; null for the owner's token. */
  session: z.string().nullable(),
  /** Until when the web session lasts, in Unix milliseconds; null for the owner's token. */
  untilMs: z.number().nullable(),
  /** What the owner was known by: see `authorityOf`. */
  authority: z.string(),
});
/** By what a viewer was let in: its socket closes when that ends. */
export type Access = z.infer<typeof accessSchema>;

/** No web session lasts longer: after that nobody comes with it. */
const KEPT_MS = 31 * 86_400_000;

export class Accesses {
  readonly #work: Work;
  readonly #database: Database;
  /** What the owner is known by now. */
  readonly #authority: string;

  constructor(work: Work, database: Database, authority: string) {
    this.#work = work;
    this.#database = database;
    this.#authority = authority;
  }

  /** Whether who was let in so may stay. */
  holds({ session, untilMs, authority }: Access, nowMs: number): boolean {
    if (authority !== this.#authority || (untilMs !== null && untilMs <= nowMs)) return false;
    return session === null || !this.#isRevoked(session);
  }

  /** Whether a socket that was let in before is of an owner who is known by something else now. */
  isForeign({ authority }: Access): boolean {
    return authority !== this.#authority;
  }

  /** Ends a web session here: its tickets are gone, and a socket that comes late is not let in. */
  revoke(session: string): void {
    this.#work.change((tx) => {
      const until = tx.nowMs + KEPT_MS;
      tx.database.delete(tickets).where(eq(tickets.access, session)).run();
      tx.database.delete(revokedAccesses).where(lte(revokedAccesses.until, tx.nowMs)).run();
      tx.database.insert(revokedAccesses).values({ access: session, until }).onConflictDoNothing().run();
    });
  }

  #isRevoked(session: string): boolean {
    const query = this.#database.select().from(revokedAccesses).where(eq(revokedAccesses.access, session));
    return query.get() !== undefined;
  }
}
