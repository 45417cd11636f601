/** Dead letters as D1 has them: their routines' objects write them, the worker lists them. */
import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Page, PageRequest } from "#protocol/api.ts";
import { type DeadLetter, type DeadLetterState, deadLetterSchema } from "#protocol/dead-letter.ts";
import { deadLetters } from "./dead-letters-schema.ts";
import { type DocumentTable, documentsPage, type WrittenDocument, writeDocuments } from "./listed-documents.ts";

const TABLE: DocumentTable = {
  name: "dead_letters",
  column: "is_fired",
  value: "value ->> '$.doc.fired' IS NOT NULL",
};

/** See `writeDocuments`. */
export async function writeDeadLetters(
  binding: D1Database,
  routineId: string,
  rows: readonly WrittenDocument<DeadLetter>[],
  oldest: string | null,
): Promise<void> {
  await writeDocuments(binding, TABLE, routineId, rows, oldest);
}

export interface DeadLetterLists {
  /** Newest first. @param routineId null for all routines. */
  list(filter: { routineId: string | null; state: DeadLetterState }, page: PageRequest): Promise<Page<DeadLetter>>;
}

export function deadLetterLists(database: D1Database): DeadLetterLists {
  const db = drizzle(database);
  return {
    list: async ({ routineId, state }, page) => {
      const where = and(
        routineId === null ? undefined : eq(deadLetters.routineId, routineId),
        state === "all" ? undefined : eq(deadLetters.isFired, state === "fired"),
      );
      return await documentsPage(db, { table: deadLetters, schema: deadLetterSchema, where }, page);
    },
  };
}
