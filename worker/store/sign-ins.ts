/** Web sessions and one-use sign-in codes in D1. Callers pass hashes, never secrets; times are Unix milliseconds. */
import { and, asc, desc, eq, gt, inArray, isNull, lt, lte, ne, or, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { signInCodes, webSessionObjects, webSessions } from "#instance/d1/schema.ts";
import type { Authorities } from "#instance/secrets.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import { ownerKeyOf } from "#protocol/ids.ts";
import type { SignIn } from "#protocol/sign-in.ts";
import { timestamp } from "#protocol/time.ts";
import type { Database } from "../parties/database.ts";

/** A browser that is signed in. */
export interface NewSignIn {
  hash: string;
  id: string;
  /** What it is bound to: see `authoritiesOf`. */
  authority: string;
  expiresAt: number;
  userAgent: string | null;
  ip: string | null;
}

export interface FoundSignIn {
  id: string;
  expiresAt: number;
  lastUsedAt: number;
  authority: string;
}

/** An object that has to be told that a web session has ended. */
export interface OwedRevocation {
  hash: string;
  routineKey: string;
  /** An id that the object owns. */
  id: string;
}

/** Which sign-ins are ended. */
export type EndedSignIns = { hash: string } | { id: string } | { allBut: string | null };

export interface SignIns {
  /** A sign-in that is on: not ended, not expired, and bound to what the owner is known by now. */
  find(hash: string, now: number): Promise<FoundSignIn | null>;
  add(signIn: NewSignIn, now: number): Promise<void>;
  noteUse(hash: string, now: number): Promise<void>;
  /** Those that are on, newest first. @param current the hash of the one that asks. */
  list(page: PageRequest, current: string | null, now: number): Promise<Page<SignIn>>;
  /**
   * Ends sign-ins, and owes the objects that may hold their sockets the call that closes them, in one transaction.
   * @returns how many were on.
   */
  end(which: EndedSignIns, now: number): Promise<number>;
  /** The same for those that have expired, and those that another owner token or signing key was there for. */
  endLapsed(now: number): Promise<void>;
  /**
   * Notes that an object is about to give the web session a socket, or a ticket for one.
   * @param id one that the object owns for good. @returns whether the sign-in is still on: else nothing is noted.
   */
  noteSocket(hash: string, id: string, now: number): Promise<boolean>;
  /** Calls that are owed and due, which nobody else takes up for a while; each comes again later unless it is settled. */
  claimOwed(limit: number, now: number): Promise<OwedRevocation[]>;
  settleOwed(done: readonly OwedRevocation[]): Promise<void>;
  /** Also sweeps what has expired. @param madeBy the hash of the web session that asks, with whose end the code ends; null for the owner's token. */
  addCode(
    hash: string,
    code: { expiresAt: number; madeBy: string | null; authority: string },
    now: number,
  ): Promise<void>;
  /** Uses a code up. @returns what it is bound to, for one caller at most; null when it is not there, or not good any more. */
  takeCode(hash: string, now: number): Promise<string | null>;
}

/** Who has claimed a call, and been cut off, holds it up so long; each further try waits twice as long. */
const FIRST_RETRY_MS = 60_000;
const DOUBLINGS = 6;
/** After that the sockets have closed by themselves, with the time for which their sign-in was given. */
const TRIES_AT_MOST = 1_000;
const ROWID = sql`rowid`;
const IS_ON =
  "SELECT 1 FROM web_sessions WHERE hash = ?1 AND expires_at > ?2 AND authority IN (SELECT value FROM json_each(?3))";
const NOTE_SOCKET = `INSERT INTO web_session_objects (hash, routine_key, id)
  SELECT ?1, ?4, ?5 WHERE EXISTS (${IS_ON}) ON CONFLICT DO NOTHING`;

/** @param authorities what the owner is known by: sign-ins and codes of another are none. */
export function signIns(database: Database, authorities: () => Promise<Authorities>): SignIns {
  const db = drizzle(database);
  // What is ended, claimed or used up is told to one caller, so that is asked once.
  const repeatable = drizzle(database.repeatable);
  const isOn = async (now: number) =>
    and(gt(webSessions.expiresAt, now), inArray(webSessions.authority, [...(await authorities())]));
  const end = async (which: SQL | undefined, now: number) => {
    const ended = db.select({ hash: webSessions.hash }).from(webSessions).where(which);
    const [, gone] = await db.batch([
      db
        .update(webSessionObjects)
        .set({ dueAt: now })
        .where(and(isNull(webSessionObjects.dueAt), inArray(webSessionObjects.hash, ended))),
      db.delete(webSessions).where(which).returning({ hash: webSessions.hash }),
    ]);
    return gone.length;
  };
  return {
    find: async (hash, now) => {
      const [row] = await db
        .select()
        .from(webSessions)
        .where(and(eq(webSessions.hash, hash), await isOn(now)));
      if (row === undefined) return null;
      const { id, expiresAt, lastUsedAt, authority } = row;
      return { id: id ?? "", expiresAt, lastUsedAt: lastUsedAt ?? 0, authority: authority ?? "" };
    },
    add: async (signIn, now) => {
      const values = { ...signIn, createdAt: now, lastUsedAt: now };
      await repeatable.insert(webSessions).values(values).onConflictDoNothing();
    },
    noteUse: async (hash, now) => {
      await repeatable.update(webSessions).set({ lastUsedAt: now }).where(eq(webSessions.hash, hash));
    },
    list: async ({ limit, cursor }, current, now) => {
      const rows = await db
        .select()
        .from(webSessions)
        // Newest first, whatever the planner thinks of another index: what is not on has been swept but for a minute's.
        .where(and(sql`+(${await isOn(now)})`, cursor === null ? undefined : lt(webSessions.id, cursor)))
        .orderBy(desc(webSessions.id))
        .limit(limit + 1);
      const shown = rows.slice(0, limit).map((row) => shownOf(row, current));
      return { data: shown, next_cursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
    },
    end: (which, now) => end(chosen(which), now),
    endLapsed: async (now) => {
      for (const which of lapsed(await authorities(), now)) await end(which, now);
    },
    noteSocket: async (hash, id, now) => {
      const known = JSON.stringify(await authorities());
      const again = database.repeatable;
      const [, found] = await again.batch([
        again.prepare(NOTE_SOCKET).bind(hash, now, known, ownerKeyOf(id), id),
        again.prepare(IS_ON).bind(hash, now, known),
      ]);
      return (found?.results.length ?? 0) > 0;
    },
    claimOwed: async (limit, now) => {
      // By its index: beside what is owed there is a row for each object that a browser has ever looked at.
      const isDue = lte(webSessionObjects.dueAt, now);
      const due = db
        .select({ rowid: ROWID })
        .from(webSessionObjects)
        .where(isDue)
        .orderBy(asc(webSessionObjects.dueAt))
        .limit(limit);
      const again = sql`${now} + ${FIRST_RETRY_MS} * (1 << min(${webSessionObjects.tries}, ${DOUBLINGS}))`;
      const [, claimed] = await db.batch([
        db.delete(webSessionObjects).where(and(isDue, gt(webSessionObjects.tries, TRIES_AT_MOST))),
        db
          .update(webSessionObjects)
          .set({ dueAt: again, tries: sql`${webSessionObjects.tries} + 1` })
          .where(inArray(ROWID, due))
          .returning(),
      ]);
      return claimed.map(({ hash, routineKey, id }) => ({ hash, routineKey, id }));
    },
    settleOwed: async (done) => {
      const keys = JSON.stringify(done.map(({ hash, routineKey }) => [hash, routineKey]));
      const isDone = sql`(hash, routine_key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${keys}))`;
      await repeatable.delete(webSessionObjects).where(isDone);
    },
    addCode: async (hash, made, now) => {
      const code = { hash, ...made };
      await repeatable.batch([
        repeatable.delete(signInCodes).where(lte(signInCodes.expiresAt, now)),
        repeatable.insert(signInCodes).values(code).onConflictDoNothing(),
      ]);
    },
    takeCode: async (hash, now) => {
      const inForce = db
        .select({ hash: webSessions.hash })
        .from(webSessions)
        .where(await isOn(now));
      const isGood = and(
        gt(signInCodes.expiresAt, now),
        inArray(signInCodes.authority, [...(await authorities())]),
        or(isNull(signInCodes.madeBy), inArray(signInCodes.madeBy, inForce)),
      );
      const taken = await db
        .delete(signInCodes)
        .where(and(eq(signInCodes.hash, hash), isGood))
        .returning({ authority: signInCodes.authority });
      return taken[0]?.authority ?? null;
    },
  };
}

/** D1 takes five parts of a compound SELECT. */
const JOINED_AT_MOST = 4;

/** Each part is a range of the index: of conditions joined by OR the planner would make a look at every row. */
function lapsed(authorities: Authorities, now: number): SQL[] {
  const known = authorities.toSorted();
  const [first, last] = [known[0], known.at(-1)];
  const ranges = [
    ...known.map((authority) => sql`authority = ${authority} AND expires_at <= ${now}`),
    ...known.slice(1).map((after, place) => sql`authority > ${known[place]} AND authority < ${after}`),
    sql`authority IS NULL`,
    sql`authority < ${first}`,
    sql`authority > ${last}`,
  ].map((range) => sql`SELECT hash FROM web_sessions WHERE ${range}`);
  const joined: SQL[] = [];
  for (let from = 0; from < ranges.length; from += JOINED_AT_MOST) {
    joined.push(sql`hash IN (${sql.join(ranges.slice(from, from + JOINED_AT_MOST), sql` UNION ALL `)})`);
  }
  return joined;
}

function chosen(which: EndedSignIns): SQL | undefined {
  if ("hash" in which) return eq(webSessions.hash, which.hash);
  if ("id" in which) return eq(webSessions.id, which.id);
  return which.allBut === null ? undefined : ne(webSessions.hash, which.allBut);
}

function shownOf(row: typeof webSessions.$inferSelect, current: string | null): SignIn {
  return {
    id: row.id ?? "",
    created_at: timestamp(row.createdAt ?? 0),
    last_used_at: timestamp(row.lastUsedAt ?? 0),
    expires_at: timestamp(row.expiresAt),
    user_agent: row.userAgent,
    ip: row.ip,
    current: row.hash === current,
  };
}
