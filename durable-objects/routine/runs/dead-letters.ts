/** What came and led to no work: kept with its input, listed through D1, and fired again once. */
import { asc, desc, eq, lt, min, sql } from "drizzle-orm";
import { DEAD_LETTERS_KEPT, type DeadLetter, SHOWN_TEXT_LIMIT } from "#protocol/dead-letter.ts";
import type { Admission, Occurrence, Wake } from "#protocol/occurrence.ts";
import { timestamp } from "#protocol/time.ts";
import { isDeadOccurrence, isDeadRun } from "#rules/routine/dead-letter.ts";
import type { Database } from "../database.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { deadLetters } from "../schema.ts";
import type { Tx, Work } from "../work.ts";
import type { RunRow } from "./run-store.ts";

type Row = typeof deadLetters.$inferSelect;
type Input = Pick<Row, "text" | "checkout">;

/** What D1 lacks, a part at a time. */
export interface Unindexed {
  rows: Pick<Row, "id" | "doc" | "version">[];
  /** What is older than this is kept no more; null where nothing is kept. */
  oldest: string | null;
}

export class DeadLetters {
  readonly #database: Database;
  readonly #work: Work;
  readonly #outbox: Outbox;

  constructor(database: Database, work: Work, outbox: Outbox) {
    this.#database = database;
    this.#work = work;
    this.#outbox = outbox;
  }

  /** An occurrence has been recorded. */
  note(tx: Tx, occurrence: Occurrence, wake: Wake): void {
    if (!isDeadOccurrence(occurrence, wake)) return;
    const { id, routine_id, trigger, outcome, reason, run_id } = occurrence;
    this.#add(tx, { id, routine_id, trigger, outcome, reason, run_id, error: null }, wake);
  }

  /** A run has ended. */
  noteEnd(tx: Tx, { doc, text, checkout }: RunRow): void {
    if (!isDeadRun(doc)) return;
    const { id: run_id, routine_id, error, trigger: known } = doc;
    const { occurrence_id: id, occurrence_ids: _joined, ...trigger } = known;
    const verdict = { outcome: "started", reason: "admitted" } as const;
    this.#add(tx, { id, routine_id, trigger, ...verdict, run_id, error }, { text, checkout });
  }

  get(id: string): Row | null {
    return this.#database.select().from(deadLetters).where(eq(deadLetters.id, id)).get() ?? null;
  }

  /** It has been fired again, or its run has been retried: that is done once. */
  fired(tx: Tx, row: Row, { occurrence_id, run_id, session_id }: Admission): void {
    const doc = { ...row.doc, fired: { at: timestamp(tx.nowMs), occurrence_id, run_id, session_id } };
    const change = { doc, version: row.version + 1 };
    tx.database.update(deadLetters).set(change).where(eq(deadLetters.id, row.id)).run();
    this.#outbox.owe(tx, "project_dead_letters", row.doc.routine_id);
  }

  /** What D1 does not have yet, oldest first. */
  unindexed(limit: number): Unindexed {
    const oldest =
      this.#database
        .select({ id: min(deadLetters.id) })
        .from(deadLetters)
        .get()?.id ?? null;
    const rows = this.#database
      .select({ id: deadLetters.id, doc: deadLetters.doc, version: deadLetters.version })
      .from(deadLetters)
      .where(lt(deadLetters.indexedVersion, deadLetters.version))
      .orderBy(asc(deadLetters.id))
      .limit(limit)
      .all();
    return { rows, oldest };
  }

  /** D1 has these as they were read. */
  indexed(rows: Unindexed["rows"]): void {
    this.#work.change((tx) => {
      for (const { id, version } of rows) {
        tx.database.update(deadLetters).set({ indexedVersion: version }).where(eq(deadLetters.id, id)).run();
      }
    });
  }

  /** D1 has lost what it had. */
  oweAll(tx: Tx, routineId: string): void {
    tx.database.update(deadLetters).set({ indexedVersion: 0 }).run();
    this.#outbox.owe(tx, "project_dead_letters", routineId);
  }

  #add(tx: Tx, what: Omit<DeadLetter, "at" | "input" | "fired">, { text, checkout }: Input): void {
    const shown = text === null || text.length <= SHOWN_TEXT_LIMIT ? { text } : cut(text);
    const doc: DeadLetter = { ...what, at: timestamp(tx.nowMs), input: { ...shown, checkout }, fired: null };
    const row: Row = { id: what.id, doc, text, checkout, version: 1, indexedVersion: 0 };
    tx.database.insert(deadLetters).values(row).onConflictDoNothing().run();
    const last = tx.database
      .select({ id: deadLetters.id })
      .from(deadLetters)
      .orderBy(desc(deadLetters.id))
      .limit(1)
      .offset(DEAD_LETTERS_KEPT - 1);
    tx.database
      .delete(deadLetters)
      .where(lt(deadLetters.id, sql`(${last})`))
      .run();
    this.#outbox.owe(tx, "project_dead_letters", what.routine_id);
  }
}

/** Splits no character. */
function cut(text: string) {
  return { text: text.slice(0, SHOWN_TEXT_LIMIT).replace(/[\uD800-\uDBFF]$/, ""), truncated: true as const };
}
