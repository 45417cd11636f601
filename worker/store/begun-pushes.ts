/** Pushes that have been sent on and of which it is not known yet what became of them, in D1. */
import { eq, lte } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { begunPushes } from "#instance/d1/schema.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";

export interface BegunPush {
  id: string;
  lease: LeaseRef;
  /** The repository's number in the routine, and its address. */
  number: number;
  url: string;
  branches: { branch: string; commit: string; previous: string | null }[];
  /** How often the upstream was asked. */
  tries: number;
}

export interface BegunPushes {
  /** Resolves when it can't be lost any more. @param askAtMs when the upstream is asked, should nothing be heard of it. */
  begin(push: BegunPush, askAtMs: number): Promise<void>;
  /** It is known what became of it. */
  end(id: string): Promise<void>;
  /** Those of which the upstream is to be asked by now. */
  due(nowMs: number, limit: number): Promise<BegunPush[]>;
  /** The upstream is being asked; it is asked again then, should that tell nothing. */
  postpone(id: string, tries: number, askAtMs: number): Promise<void>;
}

export function begunPushStore(binding: D1Database): BegunPushes {
  const database = drizzle(binding);
  return {
    begin: async ({ lease, ...push }, askAt) => {
      const row = { ...push, runId: lease.run_id, generation: lease.generation, askAt };
      await database.insert(begunPushes).values(row);
    },
    end: async (id) => {
      await database.delete(begunPushes).where(eq(begunPushes.id, id));
    },
    due: async (nowMs, limit) => {
      const rows = await database
        .select()
        .from(begunPushes)
        .where(lte(begunPushes.askAt, nowMs))
        .orderBy(begunPushes.askAt)
        .limit(limit);
      return rows.map(({ id, runId, generation, number, url, branches, tries }) => {
        return { id, lease: { run_id: runId, generation }, number, url, branches, tries };
      });
    },
    postpone: async (id, tries, askAt) => {
      await database.update(begunPushes).set({ tries, askAt }).where(eq(begunPushes.id, id));
    },
  };
}
