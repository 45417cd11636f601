/**
 * Rows of transcripts in memory: those that were written or read last. Who keeps up is told from them, and who catches up
 * goes on from what was read ahead. Events never change, so a row stays right until its session is deleted. Pure.
 */
import type { Chunk } from "#rules/transcript-chunk.ts";

/** Of all sessions together, in UTF-16 units: what one viewer may have under way, twice. */
const KEPT_LENGTH = 2_097_152;
const KEPT_ROWS = 512;
/** How much is read at once for who goes on: half of what is kept, so that two who stand apart leave each other's. */
export const AHEAD = { length: KEPT_LENGTH / 2, rows: KEPT_ROWS / 2 } as const;

interface Kept {
  sessionId: string;
  row: Chunk;
}

export class KeptRows {
  /** In the order in which they came. */
  #rows: Kept[] = [];
  #length = 0;

  add(sessionId: string, row: Chunk): void {
    this.#rows.push({ sessionId, row });
    this.#length += row.body.length;
    while (this.#length > KEPT_LENGTH || this.#rows.length > KEPT_ROWS) {
      this.#length -= this.#rows.shift()?.row.body.length ?? 0;
    }
  }

  /** The row with the event after `after`, which may begin before it; null where it is not here. */
  next(sessionId: string, after: number): Chunk | null {
    const isNext = ({ sessionId: id, row }: Kept) =>
      id === sessionId && row.firstSeq <= after + 1 && row.lastSeq > after;
    return this.#rows.findLast(isNext)?.row ?? null;
  }

  drop(sessionId: string): void {
    this.#rows = this.#rows.filter((kept) => kept.sessionId !== sessionId);
    this.#length = this.#rows.reduce((sum, { row }) => sum + row.body.length, 0);
  }

  clear(): void {
    this.#rows = [];
    this.#length = 0;
  }
}
