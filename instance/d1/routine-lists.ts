/** Reads the projection in D1: lists across routines, newest first. */
import { and, desc, eq, gte, lt, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { z } from "zod";
import type { Page, PageRequest } from "#protocol/api.ts";
import { logLine } from "#protocol/log.ts";
import { type Routine, routineSchema } from "#protocol/routine.ts";
import { type Run, type RunStatus, runSchema } from "#protocol/run.ts";
import { routines, runs } from "./index-schema.ts";
import { pageBounds, pageEndSchema } from "./page-bounds.ts";

interface RunFilter {
  routineId: string | null;
  status: RunStatus | null;
}

type Listed = typeof routines | typeof runs;

export interface Projection {
  listRoutines(page: PageRequest): Promise<Page<Routine>>;
  listRuns(filter: RunFilter, page: PageRequest): Promise<Page<Run>>;
}

export function projection(database: D1Database): Projection {
  const db = drizzle(database);

  async function list<Item>(table: Listed, where: SQL | undefined, limit: number, schema: z.ZodType<Item>) {
    const query = pageBounds({ table, key: table.id, doc: table.doc, where, limit });
    const { last, has_more } = pageEndSchema.parse(await db.get(query));
    const rows = await db
      .select({ id: table.id, doc: table.doc })
      .from(table)
      .where(and(where, last === null ? sql`0` : gte(table.id, String(last))))
      .orderBy(desc(table.id));
    return { data: readable(rows, schema), next_cursor: has_more ? String(last) : null };
  }

  return {
    listRoutines: ({ limit, cursor }) =>
      list(routines, cursor === null ? undefined : lt(routines.id, cursor), limit, routineSchema),
    listRuns: ({ routineId, status }, { limit, cursor }) => {
      const where = and(
        routineId === null ? undefined : eq(runs.routineId, routineId),
        status === null ? undefined : eq(runs.status, status),
        cursor === null ? undefined : lt(runs.id, cursor),
      );
      return list(runs, where, limit, runSchema);
    },
  };
}

/** A row that can't be read is skipped, not fatal. */
function readable<Item>(rows: { id: string; doc: string }[], schema: z.ZodType<Item>): Item[] {
  return rows.flatMap(({ id, doc }) => {
    const parsed = schema.safeParse(parseJson(doc));
    if (!parsed.success) logLine("warn", { what: "projection", outcome: "unreadable_row", id });
    return parsed.success ? [parsed.data] : [];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
