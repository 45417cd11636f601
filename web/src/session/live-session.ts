/** A session as this page follows it: its connection, and what of its transcript is loaded. */
import type { Page } from "#protocol/api.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { listSessionEvents } from "../client/generated.ts";
import { beforePainting, browserDoors } from "./browser-doors.ts";
import { type ConnectionState, LiveConnection } from "./live-connection.ts";
import { TranscriptStore } from "./transcript-store.ts";

/** How much of a long transcript is there at once. */
const TAIL_EVENTS = 300;

/** Events after which the run's and the session's own records have changed. */
const LIFE_EVENTS: readonly TranscriptEvent["type"][] = [
  "run.queued",
  "run.starting",
  "run.running",
  "run.cancel_requested",
  "run.finished",
  "git.push",
  "pull_request",
  "usage",
];

export class LiveSession {
  readonly store: TranscriptStore;
  readonly #connection: LiveConnection;
  readonly #listeners = new Set<() => void>();
  #state: ConnectionState = "connecting";
  #record: { lastSeq: number; isActive: boolean } | null = null;

  /**
   * @param lastSeq of the session when the page was opened.
   * @param onLife called with the run whose record has changed.
   */
  constructor(sessionId: string, lastSeq: number, onLife: (runId: string) => void) {
    const after = Math.max(0, lastSeq - TAIL_EVENTS);
    // The generator writes the type of any JSON in another way than the schema does.
    const read = async (after: number, limit: number) =>
      (await listSessionEvents(sessionId, { after, limit })) as Page<TranscriptEvent>;
    this.store = new TranscriptStore(after, read, beforePainting, Date.now);
    this.#connection = new LiveConnection(after, browserDoors(sessionId), {
      events: (events) => {
        this.store.receive(events);
        const lives = events.filter(({ type }) => LIFE_EVENTS.includes(type));
        for (const runId of new Set(lives.map(({ run_id: id }) => id))) onLife(runId);
      },
      delta: (delta) => this.store.receive([delta]),
      caughtUp: () => this.store.caughtUp(),
      interrupted: () => this.store.interrupted(),
      state: (state) => {
        this.#state = state;
        for (const listener of this.#listeners) listener();
      },
    });
    this.store.subscribe(() => this.#endWhenAllIsHere());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): ConnectionState => this.#state;

  start(): void {
    this.#connection.start();
    window.addEventListener("online", this.#wake);
    window.addEventListener("offline", this.#networkLost);
    document.addEventListener("visibilitychange", this.#lookedAt);
  }

  stop(): void {
    this.#connection.stop();
    this.store.dispose();
    window.removeEventListener("online", this.#wake);
    window.removeEventListener("offline", this.#networkLost);
    document.removeEventListener("visibilitychange", this.#lookedAt);
  }

  /** Tells what the session's own record says. */
  learn(lastSeq: number, isActive: boolean): void {
    this.#record = { lastSeq, isActive };
    if (this.#state === "ended" && (isActive || this.store.last() < lastSeq)) this.#connection.start();
    else this.#endWhenAllIsHere();
  }

  /** When all runs are over and all events are here, nothing more can come: the connection is let go. */
  #endWhenAllIsHere(): void {
    if (this.#record === null || this.#state !== "live") return;
    if (this.#record.isActive || this.store.last() < this.#record.lastSeq) return;
    this.#connection.end();
  }

  readonly #wake = (): void => this.#connection.wake();
  readonly #networkLost = (): void => this.#connection.networkLost();
  readonly #lookedAt = (): void => {
    if (document.visibilityState === "visible") this.#connection.wake();
  };
}
