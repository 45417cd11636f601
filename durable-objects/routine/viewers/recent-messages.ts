/**
 * The messages that were made last, in memory: what one viewer was sent, others at the same place are sent as well, also
 * when they have room for it a little later. Events never change, so a message stays right. Pure.
 */
import type { Batch } from "#rules/viewer-window.ts";

/**
 * Of all sessions together, in UTF-16 units: four windows, since viewers of one session stand some messages apart. With one
 * window most messages had gone before the last viewer had room for them. One message alone is kept however long it is.
 */
const KEPT_LENGTH = 4_194_304;
/** Few, so that a viewer with much to catch up on gets it in long messages, not in the short ones of who has followed. */
const KEPT_MESSAGES = 32;

export class RecentMessages {
  /** By session and by the last event before them, in the order in which they were made. */
  readonly #messages = new Map<string, Batch>();
  #length = 0;

  /** @param message begins with the event after `after`. */
  add(sessionId: string, after: number, message: Batch): void {
    const key = keyOf(sessionId, after);
    this.#drop(key);
    this.#messages.set(key, message);
    this.#length += message.text.length;
    for (const oldest of this.#messages.keys()) {
      const isMuch = this.#length > KEPT_LENGTH || this.#messages.size > KEPT_MESSAGES;
      if (!isMuch || oldest === key) break;
      this.#drop(oldest);
    }
  }

  /** The message that begins with the event after `after`; null where none is kept. */
  after(sessionId: string, after: number): Batch | null {
    return this.#messages.get(keyOf(sessionId, after)) ?? null;
  }

  clear(): void {
    this.#messages.clear();
    this.#length = 0;
  }

  #drop(key: string): void {
    this.#length -= this.#messages.get(key)?.text.length ?? 0;
    this.#messages.delete(key);
  }
}

function keyOf(sessionId: string, after: number): string {
  return `${sessionId} ${after}`;
}
