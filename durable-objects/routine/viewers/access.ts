/** The sign-in or token by which a viewer was let in, and whether it still holds. */
import { eq, lte } from "drizzle-orm";
import { z } from "zod";
import type { Authorities } from "#instance/secrets.ts";
import { ACTOR_NAMES, type Actor } from "#protocol/actor.ts";
import type { Database } from "../database.ts";
import { revokedAccesses, tickets } from "../schema.ts";
import type { Work } from "../work.ts";

export const accessSchema = z.object({
  /** The hash of a web session; null for the owner's token. */
  session: z.string().nullable(),
  /** Until when the web session lasts, in Unix milliseconds; null for the owner's token. */
  untilMs: z.number().nullable(),
  /** The web session's public id, which records of what is said name; null for the owner's token. */
  signIn: z.string().nullable().default(null),
  /** The hash of the owner's token at that time: see `authoritiesOf`. */
  authority: z.string(),
});
/** By what a viewer was let in: its socket closes when that ends. */
export type Access = z.infer<typeof accessSchema>;

/** Who says something on a socket that was let in by this. */
export function actorBy({ session, signIn }: Access): Actor {
  const kind = session === null ? "owner" : "web";
  return { kind, id: signIn, name: ACTOR_NAMES[kind] };
}

/** Ended web sessions are remembered for this long: none lasts longer. */
const KEPT_MS = 31 * 86_400_000;

export class Accesses {
  readonly #work: Work;
  readonly #database: Database;
  /** The hashes of the owner's tokens that are in force. */
  readonly #authorities: Authorities;

  constructor(work: Work, database: Database, authorities: Authorities) {
    this.#work = work;
    this.#database = database;
    this.#authorities = authorities;
  }

  /** Whether a viewer who was let in by this may stay. */
  holds({ session, untilMs, authority }: Access, nowMs: number): boolean {
    if (!this.#authorities.includes(authority) || (untilMs !== null && untilMs <= nowMs)) return false;
    return session === null || !this.#isRevoked(session);
  }

  /** Whether a socket was let in under an owner's token that is in force no more. */
  isForeign({ authority }: Access): boolean {
    return !this.#authorities.includes(authority);
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
