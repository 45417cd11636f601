/** What the model is writing at this moment, from deltas: it has no place in the transcript yet, so it stands at its end. */
import type { Delta } from "#protocol/transcript.ts";
import type { AgentItem } from "./item-types.ts";
import { messageKey } from "./transcript-items.ts";

/** Stands for what was missed. */
const HOLE = "… ";

export class WritingItems {
  readonly #items = new Map<string, AgentItem>();
  /** Whether the next message is heard from its beginning. */
  #isWhole = false;
  #hasHole = false;

  /** In the order in which they began. */
  get items(): AgentItem[] {
    return [...this.#items.values()];
  }

  add({ message_id: id, kind, text }: Delta, nowMs: number): void {
    const item = this.#items.get(id);
    if (item === undefined) {
      this.#items.set(id, {
        kind: kind === "text" ? "agent" : "thinking",
        key: messageKey(id),
        seqs: [],
        runId: "",
        atMs: nowMs,
        text: this.#isWhole ? text : `${HOLE}${text}`,
        cut: null,
        writing: true,
        partial: !this.#isWhole,
      });
    } else {
      const added = this.#hasHole ? ` ${HOLE}${text}` : text;
      this.#items.set(id, { ...item, text: item.text + added, partial: item.partial || this.#hasHole });
    }
    this.#hasHole = false;
    this.#isWhole = true;
  }

  /** The message itself has come. */
  supersede(id: string): void {
    this.#items.delete(id);
  }

  /** A durable event came live: what is written after it is heard from its beginning. */
  begin(): void {
    this.#isWhole = true;
  }

  /** Deltas were missed. */
  interrupt(): void {
    this.#isWhole = false;
    this.#hasHole = this.#items.size > 0;
  }

  /** Nobody writes any more. */
  clear(): void {
    this.#items.clear();
  }
}
