/** Pushes, and what else runs do at GitHub, that have been sent on and of which it is not known yet what became of them, in D1. */
import { eq, getTableColumns, lte, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Push } from "#durable-objects/routine/sessions/session-branches.ts";
import { begunPushes } from "#instance/d1/schema.ts";
import type { SoughtDeed } from "#protocol/github-deed.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";

/** So many pushes of one run are looked at in one sweep. */
const OF_ONE_RUN = 3;

export interface BegunPush {
  id: string;
  begunAtMs: number;
  lease: LeaseRef;
  /** The repository's number in the routine, and its address. */
  number: number;
  url: string;
  /** Of which it is not known whether the upstream has taken them. */
  branches: Omit<Push, "own" | "isFound">[];
  /** Which the upstream has said that it took, while the run's object has not recorded them. */
  taken: Push[];
  /** What was being written at GitHub: no branch is pushed then. */
  deed?: SoughtDeed | null;
  /** How often the upstream was asked. */
  tries: number;
}

export interface BegunPushes {
  /** Resolves when it can't be lost any more. @param askAtMs when the upstream is asked, should nothing be heard of it. */
  begin(push: BegunPush, askAtMs: number): Promise<void>;
  /** It is known what became of it. */
  end(id: string): Promise<void>;
  /** The upstream has told, and the object has yet to be told. @param unknown what the upstream has told nothing of. */
  owe(id: string, taken: Push[], unknown: BegunPush["branches"]): Promise<void>;
  /** Those that are to be looked at by now, the longest due first, and of one run a few: it holds up no other. */
  due(nowMs: number, limit: number): Promise<BegunPush[]>;
  /** The upstream is being asked; it is asked again then, should that tell nothing. */
  postpone(id: string, tries: number, askAtMs: number): Promise<void>;
}

/** @param binding that may ask twice, should an answer be lost. */
export function begunPushStore(binding: D1Database): BegunPushes {
  const database = drizzle(binding);
  return {
    begin: async ({ lease, begunAtMs: begunAt, ...push }, askAt) => {
      const row = { ...push, begunAt, runId: lease.run_id, generation: lease.generation, askAt };
      await database.insert(begunPushes).values(row).onConflictDoNothing();
    },
    end: async (id) => {
      await database.delete(begunPushes).where(eq(begunPushes.id, id));
    },
    owe: async (id, taken, unknown) => {
      await database.update(begunPushes).set({ taken, branches: unknown }).where(eq(begunPushes.id, id));
    },
    due: async (nowMs, limit) => {
      const place = sql<number>`ROW_NUMBER() OVER (PARTITION BY ${begunPushes.runId} ORDER BY ${begunPushes.askAt})`;
      const ranked = database
        .select({ ...getTableColumns(begunPushes), place: place.as("place") })
        .from(begunPushes)
        .where(lte(begunPushes.askAt, nowMs))
        .as("ranked");
      const rows = await database
        .select()
        .from(ranked)
        .where(lte(ranked.place, OF_ONE_RUN))
        .orderBy(ranked.askAt)
        .limit(limit);
      return rows.map(({ id, begunAt, runId, generation, number, url, branches, deed, taken, tries }) => {
        const lease = { run_id: runId, generation };
        return { id, begunAtMs: begunAt, lease, number, url, branches, deed, taken: taken ?? [], tries };
      });
    },
    postpone: async (id, tries, askAt) => {
      await database.update(begunPushes).set({ tries, askAt }).where(eq(begunPushes.id, id));
    },
  };
}
