/** A session as this page follows it: its connection, and what of its transcript is loaded. */
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { beforePainting, browserDoors, postSaid, setBrowserTimer } from "./browser-doors.ts";
import { keepMessages, readMessages } from "./composer/kept.ts";
import { Outgoing, type OutgoingMessage } from "./composer/outgoing.ts";
import { LineComments, withComments } from "./diff/line-comments.ts";
import { type ConnectionState, LiveConnection, type Said } from "./live-connection.ts";
import type { ReadEvents } from "./read-events.ts";
import { readSessionEvents } from "./read-session-events.ts";
import { TranscriptStore } from "./transcript-store.ts";

/** How much of a long transcript is there at once. */
const TAIL_EVENTS = 300;

/** Events after which the run's and the session's own records have changed, and are read at once. */
const LIFE_EVENTS: readonly TranscriptEvent["type"][] = [
  "run.queued",
  "run.starting",
  "run.running",
  "run.waiting",
  "run.continued",
  "run.cancel_requested",
  "run.finished",
];
/** What the others count is read again this long after the first of them, so that the figures keep up with the transcript. */
const FIGURES_MS = 1_000;

export class LiveSession {
  readonly store: TranscriptStore;
  readonly readEvents: ReadEvents;
  readonly outgoing: Outgoing;
  readonly comments: LineComments;
  readonly #connection: LiveConnection;
  readonly #listeners = new Set<() => void>();
  #state: ConnectionState = "connecting";
  #cancelFigures: (() => void) | null = null;
  #record: { lastSeq: number; isActive: boolean } | null = null;

  /**
   * @param lastSeq of the session when the page was opened.
   * @param onLife called with the run whose record has changed.
   * @param onStored called when the instance has taken a message, with which a run may have begun.
   */
  constructor(sessionId: string, lastSeq: number, onLife: (runId: string) => void, onStored: () => void) {
    const after = Math.max(0, lastSeq - TAIL_EVENTS);
    this.readEvents = readSessionEvents(sessionId);
    this.store = new TranscriptStore(after, this.readEvents, beforePainting, Date.now);
    this.comments = new LineComments(sessionId);
    const kept = readMessages(sessionId, after);
    const ways = {
      say: (said: Said) => this.#connection.say(said),
      post: (said: Said) => postSaid(sessionId, said),
      keep: (messages: readonly OutgoingMessage[]) => keepMessages(sessionId, messages),
      stored: onStored,
      newId: () => crypto.randomUUID(),
      random: Math.random,
      setTimer: setBrowserTimer,
    };
    this.outgoing = new Outgoing(ways, kept);
    this.#connection = new LiveConnection(after, browserDoors(sessionId), {
      events: (events) => {
        this.store.receive(events);
        this.outgoing.seen(events);
        const lives = events.filter(({ type }) => LIFE_EVENTS.includes(type));
        for (const runId of new Set(lives.map(({ run_id: id }) => id))) onLife(runId);
        if (this.#state === "live") this.#readFiguresSoon(events, onLife);
      },
      delta: (delta) => this.store.receive([delta]),
      caughtUp: () => this.store.caughtUp(),
      answered: (answer) => this.outgoing.answered(answer),
      interrupted: () => this.store.interrupted(),
      state: (state) => {
        this.#state = state;
        if (state === "live") this.outgoing.wake();
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
    this.#cancelFigures?.();
    this.#connection.stop();
    this.store.dispose();
    this.outgoing.dispose();
    window.removeEventListener("online", this.#wake);
    window.removeEventListener("offline", this.#networkLost);
    document.removeEventListener("visibilitychange", this.#lookedAt);
  }

  /** Its reader may read on: what was refused meanwhile is asked for again. */
  readAgain(): void {
    if (this.#state === "signed-out") this.#connection.start();
  }

  /** A message as it would be sent now: with the comments on lines that go with it. */
  worded(text: string): string {
    return withComments(text, this.comments.all());
  }

  /** Says something to the agent. */
  say(text: string): void {
    this.outgoing.send(this.worded(text), this.store.last());
    this.comments.clear();
  }

  /** Tells what the session's own record says. */
  learn(lastSeq: number, isActive: boolean): void {
    this.#record = { lastSeq, isActive };
    if (this.#state === "ended" && (isActive || this.store.last() < lastSeq)) this.#connection.start();
    else this.#endWhenAllIsHere();
  }

  #readFiguresSoon(events: readonly TranscriptEvent[], read: (runId: string) => void): void {
    const runId = events.at(-1)?.run_id;
    if (runId === undefined) return;
    this.#cancelFigures ??= setBrowserTimer(() => {
      this.#cancelFigures = null;
      read(runId);
    }, FIGURES_MS);
  }

  /** When all runs are over and all events are here, nothing more can come: the connection is let go. */
  #endWhenAllIsHere(): void {
    if (this.#record === null || this.#state !== "live") return;
    if (this.#record.isActive || this.store.last() < this.#record.lastSeq) return;
    this.outgoing.allIsTold();
    this.#connection.end();
  }

  readonly #wake = (): void => this.#connection.wake();
  readonly #networkLost = (): void => this.#connection.networkLost();
  readonly #lookedAt = (): void => {
    if (document.visibilityState === "visible") this.#connection.wake();
  };
}
