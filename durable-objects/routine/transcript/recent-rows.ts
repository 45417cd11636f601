/** The rows of transcripts that were written last, in memory: who keeps up is told from them, and nothing is read back. Pure. */
import type { Chunk } from "#rules/transcript-chunk.ts";

/** Of all sessions together, in UTF-16 units: as much as may be under way to one viewer. */
const KEPT_LENGTH = 1_048_576;
const KEPT_ROWS = 128;

export class RecentRows {
  /** By session, its newest rows without a gap, oldest first. */
  readonly #rows = new Map<string, Chunk[]>();
  /** Of all sessions, in the order in which they were written. */
  #order: { sessionId: string; length: number }[] = [];
  #length = 0;

  /** @param row comes next after the session's rows so far. */
  add(sessionId: string, row: Chunk): void {
    const rows = this.#rows.get(sessionId);
    if (rows === undefined) this.#rows.set(sessionId, [row]);
    else rows.push(row);
    this.#order.push({ sessionId, length: row.body.length });
    this.#length += row.body.length;
    while (this.#length > KEPT_LENGTH || this.#order.length > KEPT_ROWS) this.#dropOldest();
  }

  /** All rows with events after `after`, oldest first; null where they are not all here. */
  after(sessionId: string, after: number): Chunk[] | null {
    const rows = this.#rows.get(sessionId);
    if (rows?.[0] === undefined || rows[0].firstSeq > after + 1) return null;
    return rows.filter(({ lastSeq }) => lastSeq > after);
  }

  /** The newest row that has no event after `seq`; null where it is not here. */
  upTo(sessionId: string, seq: number): Chunk | null {
    return this.#rows.get(sessionId)?.findLast(({ lastSeq }) => lastSeq <= seq) ?? null;
  }

  drop(sessionId: string): void {
    this.#rows.delete(sessionId);
    this.#order = this.#order.filter((row) => row.sessionId !== sessionId);
    this.#length = this.#order.reduce((sum, { length }) => sum + length, 0);
  }

  clear(): void {
    this.#rows.clear();
    this.#order = [];
    this.#length = 0;
  }

  #dropOldest(): void {
    const oldest = this.#order.shift();
    if (oldest === undefined) return;
    this.#length -= oldest.length;
    const rows = this.#rows.get(oldest.sessionId);
    rows?.shift();
    if (rows?.length === 0) this.#rows.delete(oldest.sessionId);
  }
}
