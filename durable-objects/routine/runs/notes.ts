/** The notes of a routine, in the object's SQLite: each with its newest revisions. */
import { and, asc, desc, eq, lte, sql } from "drizzle-orm";
import { type Result, refuse, success } from "#protocol/errors.ts";
import {
  type ListedNote,
  NOTE_REVISIONS_KEPT,
  NOTES_LIMIT,
  type Note,
  type NoteAuthor,
  type NoteInput,
} from "#protocol/note.ts";
import { timestamp } from "#protocol/time.ts";
import { byteLength } from "#protocol/transcript.ts";
import type { Database } from "../database.ts";
import { counters, notes as table } from "../schema.ts";
import type { Tx } from "../work.ts";

/** Counts how far revisions of notes have come that were removed: a note of the same name goes on from there. */
const REMOVED = "notes_removed";

export class Notes {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** In the order of their names. */
  list(): ListedNote[] {
    return this.names().flatMap((name) => {
      const note = this.#newest(name);
      if (note === null) return [];
      const { text: _text, ...listed } = note;
      return [listed];
    });
  }

  names(): string[] {
    const rows = this.#database.selectDistinct({ name: table.name }).from(table).orderBy(asc(table.name)).all();
    return rows.map(({ name }) => name);
  }

  read(name: string): Result<Note> {
    const note = this.#newest(name);
    return note === null ? refuse("not_found") : success(note);
  }

  /** The newest first. */
  revisions(name: string): Result<{ data: Note[] }> {
    const rows = this.#database
      .select()
      .from(table)
      .where(eq(table.name, name))
      .orderBy(desc(table.revision))
      .limit(NOTE_REVISIONS_KEPT)
      .all();
    return rows.length === 0 ? refuse("not_found") : success({ data: rows.map(shown) });
  }

  /** Makes a new revision; the text that is there already makes none, so that a call that is repeated counts once. */
  write(tx: Tx, name: string, { text, if_revision }: NoteInput, author: NoteAuthor): Result<Note> {
    const before = this.#newest(name);
    if (before?.text === text) return success(before);
    const revision = before?.revision ?? 0;
    if (if_revision !== undefined && if_revision !== revision) return refuse("note_changed", { field: "if_revision" });
    if (before === null && this.names().length >= NOTES_LIMIT) return refuse("too_many_notes");
    const last = before === null ? this.#removed() : revision;
    const row = { name, revision: last + 1, text, author, at: tx.nowMs };
    tx.database.insert(table).values(row).run();
    const isOld = lte(table.revision, row.revision - NOTE_REVISIONS_KEPT);
    tx.database
      .delete(table)
      .where(and(eq(table.name, name), isOld))
      .run();
    return success(shown(row));
  }

  /** Removes a note with its revisions; one that is not there is removed already. */
  remove(tx: Tx, name: string): Result<null> {
    const gone = this.#newest(name);
    if (gone === null) return success(null);
    tx.database.delete(table).where(eq(table.name, name)).run();
    const count = sql`max(${counters.count}, ${gone.revision})`;
    tx.database
      .insert(counters)
      .values({ name: REMOVED, count: gone.revision })
      .onConflictDoUpdate({ target: counters.name, set: { count } })
      .run();
    return success(null);
  }

  #removed(): number {
    const row = this.#database.select({ count: counters.count }).from(counters).where(eq(counters.name, REMOVED)).get();
    return row?.count ?? 0;
  }

  #newest(name: string): Note | null {
    const row = this.#database
      .select()
      .from(table)
      .where(eq(table.name, name))
      .orderBy(desc(table.revision))
      .limit(1)
      .get();
    return row === undefined ? null : shown(row);
  }
}

function shown({ name, revision, text, author, at }: typeof table.$inferSelect): Note {
  return { name, revision, bytes: byteLength(text), author, at: timestamp(at), text };
}
