/** Web sessions and one-use sign-in codes in D1. Callers pass hashes, never secrets. */
import { and, eq, gt, lte } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { ownerKeyOf } from "#protocol/ids.ts";
import { signInCodes, webSessionObjects, webSessions } from "./schema.ts";

export interface SignIns {
  /** @param now Unix milliseconds. */
  hasWebSession(hash: string, now: number): Promise<boolean>;
  /** Also sweeps what has expired. */
  addWebSession(hash: string, expiresAt: number, now: number): Promise<void>;
  /** Notes an id whose object has given the web session a socket, or a ticket for one. */
  noteSocket(hash: string, id: string): Promise<void>;
  /** @returns one noted id for each object that may hold sockets of the web session. */
  removeWebSession(hash: string): Promise<string[]>;
  /** Also sweeps what has expired. */
  addCode(hash: string, expiresAt: number, now: number): Promise<void>;
  /** Uses a code up. @returns whether it was there and still good: true for one caller at most. */
  takeCode(hash: string, now: number): Promise<boolean>;
}

export function signIns(database: D1Database): SignIns {
  const db = drizzle(database);
  return {
    hasWebSession: async (hash, now) => {
      const found = await db
        .select({ hash: webSessions.hash })
        .from(webSessions)
        .where(and(eq(webSessions.hash, hash), gt(webSessions.expiresAt, now)));
      return found.length > 0;
    },
    addWebSession: async (hash, expiresAt, now) => {
      await db.batch([
        db.delete(webSessions).where(lte(webSessions.expiresAt, now)),
        db.insert(webSessions).values({ hash, expiresAt }),
      ]);
    },
    noteSocket: async (hash, id) => {
      await db
        .insert(webSessionObjects)
        .values({ hash, routineKey: ownerKeyOf(id) ?? "", id })
        .onConflictDoNothing();
    },
    removeWebSession: async (hash) => {
      const [, noted] = await db.batch([
        db.delete(webSessions).where(eq(webSessions.hash, hash)),
        db.delete(webSessionObjects).where(eq(webSessionObjects.hash, hash)).returning({ id: webSessionObjects.id }),
      ]);
      return noted.map(({ id }) => id);
    },
    addCode: async (hash, expiresAt, now) => {
      await db.batch([
        db.delete(signInCodes).where(lte(signInCodes.expiresAt, now)),
        db.insert(signInCodes).values({ hash, expiresAt }),
      ]);
    },
    takeCode: async (hash, now) => {
      const taken = await db
        .delete(signInCodes)
        .where(and(eq(signInCodes.hash, hash), gt(signInCodes.expiresAt, now)))
        .returning({ hash: signInCodes.hash });
      return taken.length > 0;
    },
  };
}
