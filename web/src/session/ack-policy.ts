/** Pure: when a viewer acknowledges what it has received. */

/** Half of the events that may be under way, or a quarter of the bytes: the instance never has to wait for a viewer that keeps up. */
const AT_ONCE = { events: 256, characters: 262_144 } as const;
/**
 * A few events are acknowledged together, this long after the first of them. Each acknowledgement is an event of the
 * session's object, and hundreds may watch; a viewer counts as stalled after a minute.
 */
export const ACK_DELAY_MS = 2_000;

export class AckPolicy {
  #events = 0;
  #characters = 0;

  /** Whether anything waits for an acknowledgement. */
  get pending(): boolean {
    return this.#events > 0;
  }

  /** @returns whether to acknowledge at once. */
  received(events: number, characters: number): boolean {
    this.#events += events;
    this.#characters += characters;
    return this.#events >= AT_ONCE.events || this.#characters >= AT_ONCE.characters;
  }

  acknowledged(): void {
    this.#events = 0;
    this.#characters = 0;
  }
}
