/** The life of a viewer's socket: ticket, connect, acknowledge, watch, reconnect. Events come out once each, in order. */
import type { Delta, TranscriptEvent } from "#protocol/transcript.ts";
import type { CLOSE_CODES, LiveMessage, ViewerMessage } from "#protocol/viewer.ts";
import { ACK_DELAY_MS, AckPolicy } from "./ack-policy.ts";
import { backoffMs } from "./backoff.ts";

/**
 * `live`: everything that is there has come. `connecting`: on the way to that. `offline`: out of reach, tried again by itself.
 * The others are final: `ended` (all runs are over and all has come), `gone` (no such session), `signed-out`, and `refused`
 * (the instance does not understand this app).
 */
export type ConnectionState = "connecting" | "live" | "offline" | "ended" | "gone" | "signed-out" | "refused";

/** `failed`: it did not get through, so it is worth another attempt. */
export type TicketAnswer = { ticket: string } | { refused: "gone" | "signed-out" } | { failed: true };

export interface LiveSocket {
  send(text: string): void;
  close(code: number): void;
}

export interface SocketHandlers {
  message(text: string): void;
  /** Also of a socket that never opened. */
  closed(code: number): void;
}

/** The outside world, passed in. */
export interface LiveDoors {
  issueTicket(): Promise<TicketAnswer>;
  openSocket(after: number, ticket: string, handlers: SocketHandlers): LiveSocket;
  /** @returns how to cancel it. */
  setTimer(callback: () => void, ms: number): () => void;
  /** From 0 to 1. */
  random(): number;
  /** What the browser believes; it may be wrong about an instance on the same machine. */
  isOnline(): boolean;
}

export interface LiveSink {
  /** The next events, without a gap. */
  events(events: TranscriptEvent[]): void;
  delta(delta: Delta): void;
  caughtUp(seq: number): void;
  /** Deltas from before this moment and after it do not join. */
  interrupted(): void;
  state(state: ConnectionState): void;
  /** What became of something that was said. */
  answered(answer: SaidAnswer): void;
}

export type Said = Exclude<ViewerMessage, { type: "ack" }>;
export type SaidAnswer = Extract<LiveMessage, { type: "accepted" | "rejected" }>;

const PING_MS = 20_000;
const PONG_WITHIN_MS = 10_000;
/** A socket that the browser says is cut gets less time to prove itself. */
const PROBE_WITHIN_MS = 2_000;
const CAUGHT_UP_WITHIN_MS = 15_000;
/** A connection that holds this long has made up for the failures before it. */
const CALM_MS = 5_000;
const CLOSE: typeof CLOSE_CODES = {
  notAllowed: 4401,
  noSuchSession: 4404,
  tooSlow: 4408,
  badMessage: 1008,
  restarting: 1012,
};
const NORMAL_CLOSE = 1000;

type TimerName = "retry" | "deadline" | "ping" | "calm" | "ack";

const FINAL: readonly ConnectionState[] = ["ended", "gone", "signed-out", "refused"];

export class LiveConnection {
  readonly #doors: LiveDoors;
  readonly #sink: LiveSink;
  readonly #acks = new AckPolicy();
  readonly #timers = new Map<TimerName, () => void>();
  #state: ConnectionState | null = null;
  #last: number;
  #socket: LiveSocket | null = null;
  /** Tells what an earlier attempt still says from what this one says. */
  #attempt = 0;
  #failures = 0;
  #caughtUp = false;
  #stopped = true;

  /** @param after the seq of the last event that the reader has. */
  constructor(after: number, doors: LiveDoors, sink: LiveSink) {
    this.#last = after;
    this.#doors = doors;
    this.#sink = sink;
  }

  /** Connects, and stays connected until `stop` or a final state; after one, connects again. */
  start(): void {
    this.#stopped = false;
    this.#state = null;
    void this.#connect();
  }

  /** Lets go of the socket and of every timer. Nothing is told afterwards. */
  stop(): void {
    this.#release();
    this.#attempt += 1;
    this.#stopped = true;
  }

  /** All runs are over and nothing more can come. */
  end(): void {
    this.#settle("ended");
  }

  /** The browser says that the network is back, or the page is looked at again. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#caughtUp) this.#ping(PROBE_WITHIN_MS);
    else if (this.#timers.has("retry") || this.#state === "offline") void this.#connect();
  }

  /** The browser says that the network is gone. It does not know of an instance on this machine: the socket may live on. */
  networkLost(): void {
    if (this.#stopped) return;
    this.#enter("offline");
    if (this.#caughtUp) this.#ping(PROBE_WITHIN_MS);
  }

  /** @returns whether it is on its way. Its answer may still be lost, and then it is said again under the same id. */
  say(said: Said): boolean {
    if (!this.#caughtUp || this.#socket === null) return false;
    this.#socket.send(JSON.stringify(said));
    return true;
  }

  async #connect(): Promise<void> {
    this.#release();
    this.#attempt += 1;
    const attempt = this.#attempt;
    if (this.#state !== "offline") this.#enter("connecting");
    this.#setTimer("deadline", () => this.#failed(attempt), CAUGHT_UP_WITHIN_MS);
    const answer = await this.#doors.issueTicket();
    if (attempt !== this.#attempt) return;
    if ("refused" in answer) this.#settle(answer.refused);
    else if ("failed" in answer) this.#failed(attempt);
    else this.#open(attempt, answer.ticket);
  }

  #open(attempt: number, ticket: string): void {
    this.#socket = this.#doors.openSocket(this.#last, ticket, {
      message: (text) => {
        if (attempt === this.#attempt) this.#receive(attempt, text);
      },
      closed: (code) => {
        if (attempt !== this.#attempt) return;
        this.#socket = null;
        if (code === CLOSE.noSuchSession) this.#settle("gone");
        else if (code === CLOSE.badMessage) this.#settle("refused");
        else this.#failed(attempt);
      },
    });
  }

  #receive(attempt: number, text: string): void {
    this.#heard();
    if (text === "pong") return;
    const message = readMessage(text);
    if (message === null) this.#failed(attempt);
    else if (message.type === "events") this.#take(attempt, message.events, text.length);
    else if (message.type === "caught_up") this.#arrive(message.seq);
    else if (message.type === "agent.delta") this.#sink.delta(message);
    else if (message.type === "accepted" || message.type === "rejected") this.#sink.answered(message);
    else if ("seq" in message) this.#take(attempt, [message], text.length);
  }

  #take(attempt: number, received: readonly TranscriptEvent[], characters: number): void {
    const fresh: TranscriptEvent[] = [];
    for (const event of received) {
      if (event.seq === this.#last + 1) {
        this.#last = event.seq;
        fresh.push(event);
      } else if (event.seq > this.#last) break;
    }
    if (fresh.length > 0) this.#sink.events(fresh);
    const newest = received.at(-1)?.seq ?? 0;
    if (newest > this.#last) this.#failed(attempt);
    else if (this.#acks.received(received.length, characters)) this.#acknowledge();
    else if (!this.#timers.has("ack")) this.#setTimer("ack", () => this.#acknowledge(), ACK_DELAY_MS);
  }

  #arrive(seq: number): void {
    this.#acknowledge();
    this.#caughtUp = true;
    this.#enter("live");
    this.#cancelTimer("deadline");
    this.#setTimer("ping", () => this.#ping(PONG_WITHIN_MS), PING_MS);
    this.#setTimer(
      "calm",
      () => {
        this.#failures = 0;
      },
      CALM_MS,
    );
    this.#sink.caughtUp(seq);
  }

  #acknowledge(): void {
    this.#cancelTimer("ack");
    this.#acks.acknowledged();
    this.#socket?.send(JSON.stringify({ type: "ack", seq: this.#last }));
  }

  #ping(withinMs: number): void {
    const attempt = this.#attempt;
    this.#socket?.send("ping");
    this.#setTimer("ping", () => this.#ping(PONG_WITHIN_MS), PING_MS);
    this.#setTimer("deadline", () => this.#failed(attempt), withinMs);
  }

  /** Whatever comes shows that the connection lives. */
  #heard(): void {
    if (!this.#caughtUp) return;
    this.#cancelTimer("deadline");
    this.#enter("live");
  }

  #failed(attempt: number): void {
    if (attempt !== this.#attempt) return;
    if (this.#caughtUp) this.#sink.interrupted();
    this.#release();
    this.#attempt += 1;
    this.#failures += 1;
    const isFirst = this.#failures === 1 && this.#doors.isOnline();
    this.#enter(isFirst && this.#state !== "offline" ? "connecting" : "offline");
    this.#setTimer("retry", () => void this.#connect(), backoffMs(this.#failures, this.#doors.random()));
  }

  #settle(state: ConnectionState): void {
    this.stop();
    this.#enter(state);
  }

  #release(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#acks.acknowledged();
    this.#caughtUp = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(NORMAL_CLOSE);
  }

  #enter(state: ConnectionState): void {
    if (this.#state === state || (this.#state !== null && FINAL.includes(this.#state))) return;
    this.#state = state;
    this.#sink.state(state);
  }

  #setTimer(name: TimerName, callback: () => void, ms: number): void {
    this.#cancelTimer(name);
    const cancel = this.#doors.setTimer(() => {
      this.#timers.delete(name);
      callback();
    }, ms);
    this.#timers.set(name, cancel);
  }

  #cancelTimer(name: TimerName): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}

/** The instance that serves this app checks what it sends; anything else ends the connection. */
function readMessage(text: string): LiveMessage | null {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === "object" ? (message as LiveMessage | null) : null;
  } catch {
    return null;
  }
}
