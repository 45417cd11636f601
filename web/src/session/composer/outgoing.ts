/** What a person says to a session, from the moment it is sent until the transcript has it: nothing of it is lost or said twice. */
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { backoffMs } from "../backoff.ts";
import type { Said, SaidAnswer } from "../live-connection.ts";

/** `sending`: not answered yet. `accepted`: stored by the instance; the agent gets it at its next step. */
export interface OutgoingMessage {
  id: string;
  text: string;
  /** The last event that was there when it was sent: the transcript has it after this one. */
  after: number;
  state: "sending" | "accepted" | "refused";
  /** Of a refused one. */
  why: string | null;
}

export interface OutgoingView {
  messages: readonly OutgoingMessage[];
  /** An interrupt is under way: the transcript has not said yet that all has stopped. */
  isStopping: boolean;
  /** Why the last interrupt did nothing. */
  interruptRefusal: string | null;
}

export type PostAnswer = { accepted: true } | { refused: string } | { failed: true };

/** How things get out, and where they are kept meanwhile. */
export interface OutgoingWays {
  /** @returns whether the live connection takes it; its answer comes to `answered`, or never. */
  say(said: Said): boolean;
  post(said: Said): Promise<PostAnswer>;
  /** Kept in this browser, so that closing the page loses nothing. */
  keep(messages: readonly OutgoingMessage[]): void;
  /** A message was stored: a run may have begun. */
  stored(): void;
  newId(): string;
  random(): number;
  /** @returns how to cancel it. */
  setTimer(callback: () => void, ms: number): () => void;
}

/** A live connection that has not answered by then may be a dead one: it is said over HTTP as well, under the same id. */
const ANSWER_WITHIN_MS = 6_000;
const NOTHING: OutgoingView = { messages: [], isStopping: false, interruptRefusal: null };

export class Outgoing {
  readonly #ways: OutgoingWays;
  readonly #listeners = new Set<() => void>();
  /** What waits for an answer, or for another attempt, by its id. */
  readonly #timers = new Map<string, () => void>();
  readonly #failures = new Map<string, number>();
  #interruptId: string | null = null;
  #view = NOTHING;

  /** @param kept what an earlier visit has left. */
  constructor(ways: OutgoingWays, kept: readonly OutgoingMessage[]) {
    this.#ways = ways;
    if (kept.length > 0) this.#view = { ...NOTHING, messages: kept };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly view = (): OutgoingView => this.#view;

  send(text: string, after: number): void {
    const message: OutgoingMessage = { id: this.#ways.newId(), text, after, state: "sending", why: null };
    this.#change({ messages: [...this.#view.messages, message] });
    this.#deliver({ type: "message", id: message.id, text });
  }

  interrupt(): void {
    if (this.#view.isStopping) return;
    this.#interruptId = this.#ways.newId();
    this.#change({ isStopping: true, interruptRefusal: null });
    this.#deliver({ type: "interrupt", id: this.#interruptId });
  }

  /** Takes a refused message out of the list. @returns its text. */
  takeBack(id: string): string {
    const text = this.#view.messages.find((message) => message.id === id)?.text ?? "";
    this.#drop([id]);
    return text;
  }

  /** The connection is live again: what has had no answer is said again, under the same ids. */
  wake(): void {
    for (const { id, text, state } of this.#view.messages) {
      if (state === "sending") this.#deliver({ type: "message", id, text });
    }
    if (this.#view.isStopping && this.#interruptId !== null && this.#timers.has(this.#interruptId)) {
      this.#deliver({ type: "interrupt", id: this.#interruptId });
    }
  }

  answered(answer: SaidAnswer): void {
    this.#settle(answer.id, answer.type === "accepted" ? { accepted: true } : { refused: answer.message });
  }

  /** The transcript tells. */
  seen(events: readonly TranscriptEvent[]): void {
    const told = events.flatMap((event) => (event.type === "user.message" ? (event.message_id ?? []) : []));
    if (told.length > 0) this.#drop(told);
    if (!events.some(({ type }) => TURN_ENDS.includes(type))) return;
    this.#interruptId = null;
    if (this.#view.isStopping || this.#view.interruptRefusal !== null) {
      this.#change({ isStopping: false, interruptRefusal: null });
    }
  }

  /** No run is on, and all events are here: the transcript has what was accepted, here or in what is not loaded. */
  allIsTold(): void {
    this.#drop(this.#view.messages.flatMap(({ id, state }) => (state === "accepted" ? id : [])));
  }

  dispose(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#listeners.clear();
  }

  #deliver(said: Said): void {
    this.#cancelTimer(said.id);
    if (this.#ways.say(said)) this.#setTimer(said.id, () => void this.#post(said), ANSWER_WITHIN_MS);
    else void this.#post(said);
  }

  async #post(said: Said): Promise<void> {
    // It counts as unanswered meanwhile.
    this.#timers.set(said.id, () => undefined);
    const answer = await this.#ways.post(said);
    if (!this.#timers.has(said.id)) return;
    if (!("failed" in answer)) {
      this.#settle(said.id, answer);
      return;
    }
    const failures = (this.#failures.get(said.id) ?? 0) + 1;
    this.#failures.set(said.id, failures);
    this.#setTimer(said.id, () => this.#deliver(said), backoffMs(failures, this.#ways.random()));
  }

  #settle(id: string, answer: { accepted: true } | { refused: string }): void {
    this.#cancelTimer(id);
    this.#failures.delete(id);
    if (id === this.#interruptId) {
      if ("refused" in answer) this.#change({ isStopping: false, interruptRefusal: answer.refused });
      return;
    }
    const isKnown = this.#view.messages.some((message) => message.id === id);
    if (!isKnown) return;
    this.#change({
      messages: this.#view.messages.map((message) => {
        if (message.id !== id) return message;
        return "refused" in answer
          ? { ...message, state: "refused", why: answer.refused }
          : { ...message, state: "accepted" };
      }),
    });
    if ("accepted" in answer) this.#ways.stored();
  }

  #drop(ids: readonly string[]): void {
    const messages = this.#view.messages.filter(({ id }) => !ids.includes(id));
    if (messages.length === this.#view.messages.length) return;
    for (const id of ids) this.#cancelTimer(id);
    this.#change({ messages });
  }

  #change(change: Partial<OutgoingView>): void {
    this.#view = { ...this.#view, ...change };
    if (change.messages !== undefined) this.#ways.keep(change.messages);
    for (const listener of this.#listeners) listener();
  }

  #setTimer(id: string, callback: () => void, ms: number): void {
    this.#cancelTimer(id);
    const cancel = this.#ways.setTimer(callback, ms);
    this.#timers.set(id, cancel);
  }

  #cancelTimer(id: string): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }
}

/** After these no turn is on that could be stopped. */
const TURN_ENDS: readonly TranscriptEvent["type"][] = ["run.interrupted", "run.waiting", "run.finished", "run.queued"];
