/** Reads the projection in D1: lists across routines, newest first. */
import { and, desc, eq, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { z } from "zod";
import { routines, runs } from "#durable-objects/projection/schema.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import { logLine } from "#protocol/log.ts";
import { type Routine, routineSchema } from "#protocol/routine.ts";
import { type Run, type RunStatus, runSchema } from "#protocol/run.ts";

interface RunFilter {
  routineId: string | null;
  status: RunStatus | null;
}

export interface Projection {
  listRoutines(page: PageRequest): Promise<Page<Routine>>;
  listRuns(filter: RunFilter, page: PageRequest): Promise<Page<Run>>;
}

export function projection(database: D1Database): Projection {
  const db = drizzle(database);
  return {
    listRoutines: async ({ limit, cursor }) => {
      const rows = await db
        .select({ id: routines.id, doc: routines.doc })
        .from(routines)
        .where(cursor === null ? undefined : lt(routines.id, cursor))
        .orderBy(desc(routines.id))
        .limit(limit + 1);
      return toPage(rows, limit, routineSchema);
    },
    listRuns: async ({ routineId, status }, { limit, cursor }) => {
      const rows = await db
        .select({ id: runs.id, doc: runs.doc })
        .from(runs)
        .where(
          and(
            routineId === null ? undefined : eq(runs.routineId, routineId),
            status === null ? undefined : eq(runs.status, status),
            cursor === null ? undefined : lt(runs.id, cursor),
          ),
        )
        .orderBy(desc(runs.id))
        .limit(limit + 1);
      return toPage(rows, limit, runSchema);
    },
  };
}

/** One row more than asked for tells that there is another page. A row that can't be read is skipped, not fatal. */
function toPage<Item>(rows: { id: string; doc: string }[], limit: number, schema: z.ZodType<Item>): Page<Item> {
  const shown = rows.slice(0, limit);
  const data = shown.flatMap(({ id, doc }) => {
    const parsed = schema.safeParse(parseJson(doc));
    if (!parsed.success) logLine("warn", { what: "projection", outcome: "unreadable_row", id });
    return parsed.success ? [parsed.data] : [];
  });
  return { data, next_cursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
