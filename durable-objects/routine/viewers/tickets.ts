/** Tickets for one upgrade to one session. */
import { and, eq, gt, lte } from "drizzle-orm";
import { hashSecret, makeSecret } from "#instance/secrets.ts";
import { TICKET_LIFETIME_MS } from "#protocol/viewer.ts";
import { tickets } from "../schema.ts";
import type { Work } from "../work.ts";
import type { Access } from "./access.ts";

export class Tickets {
  readonly #work: Work;

  constructor(work: Work) {
    this.#work = work;
  }

  /** A ticket that is good for 60 seconds. @param access by what the asker was let in. */
  async issue(sessionId: string, { session, untilMs, signIn, authority }: Access): Promise<string> {
    const ticket = makeSecret("ticket");
    const hash = await hashSecret(ticket);
    const of = { access: session, accessUntil: untilMs, signIn, authority };
    this.#work.change((tx) => {
      tx.database.delete(tickets).where(lte(tickets.expiresAt, tx.nowMs)).run();
      const expiresAt = tx.nowMs + TICKET_LIFETIME_MS;
      tx.database
        .insert(tickets)
        .values({ hash, sessionId, expiresAt, ...of })
        .run();
    });
    return ticket;
  }

  /** @returns the access that the ticket stands for, or null when it is not good for this session; it is used up either way. */
  async use(ticket: string, sessionId: string): Promise<Access | null> {
    const hash = await hashSecret(ticket);
    const used = this.#work.change((tx) =>
      tx.database
        .delete(tickets)
        .where(and(eq(tickets.hash, hash), gt(tickets.expiresAt, tx.nowMs)))
        .returning()
        .get(),
    );
    if (used?.sessionId !== sessionId || used.authority === null) return null;
    return { session: used.access, untilMs: used.accessUntil, signIn: used.signIn, authority: used.authority };
  }
}
