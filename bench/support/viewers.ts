/** Viewers of transcripts, up to hundreds in one process: they count, acknowledge as the web app does, and time. */
import { nowMs } from "./clock.ts";
import { RawSocket } from "./raw-socket.ts";
import { serveHelper } from "./serve-helper.ts";
import { STAMP_END, STAMP_START } from "./stamp.ts";
import { percentile } from "./statistics.ts";

/** The acknowledgements of the web app. */
const ACK = { events: 256, bytes: 262_144, delayMs: 2_000 } as const;

export interface OpenOrder {
  /** One viewer for each address. */
  urls: string[];
  headers: Record<string, string>;
  /** Whether the other side wants acknowledgements. */
  acks: boolean;
  /** The last event before those that a viewer gets. */
  after: number;
  /** Whether the other side says when its backlog has ended: then a viewer counts as open only from there on. */
  saysCaughtUp: boolean;
}

export interface OpenReport {
  /** From dialling the first to the last one's being open. */
  totalMs: number;
  /** From dialling to being open, of each. */
  eachMs: number[];
}

export interface Lag {
  p50Ms: number;
  p99Ms: number;
}

export interface SeenReport {
  /** When the last viewer had the last event, by `nowMs`. */
  at: number;
  messages: number;
  bytes: number;
  /** Send to receive, of all events with a stamp and all viewers. */
  lag: Lag | null;
}

class Viewer {
  seq: number;
  messages = 0;
  bytes = 0;
  lags: number[] = [];
  isCaughtUp = false;
  closed: string | null = null;
  /** Called after each message, and at the end. */
  onChange: () => void = () => {};
  readonly #acks: boolean;
  #ackedSeq: number;
  #unackedBytes = 0;
  #ackTimer: NodeJS.Timeout | null = null;

  constructor(acks: boolean, after: number) {
    this.#acks = acks;
    this.seq = after;
    this.#ackedSeq = after;
  }

  take(payload: Buffer, socket: RawSocket): void {
    const kind = payload[KIND_AT];
    if (kind === KINDS.delta) {
      this.#readStamps(payload);
      this.onChange();
      return;
    }
    const isCaughtUp = kind === KINDS.caughtUp;
    this.messages += 1;
    this.bytes += payload.length;
    const seq = lastSeqIn(payload);
    this.#unackedBytes += payload.length;
    this.seq = Math.max(this.seq, seq);
    this.#readStamps(payload);
    if (this.#acks) this.#acknowledgeIfDue(socket, isCaughtUp);
    if (isCaughtUp) this.isCaughtUp = true;
    this.onChange();
  }

  stop(): void {
    if (this.#ackTimer !== null) clearTimeout(this.#ackTimer);
  }

  #readStamps(payload: Buffer): void {
    let at = payload.indexOf(STAMP_START);
    if (at === -1) return;
    const receivedAt = nowMs();
    for (; at !== -1; at = payload.indexOf(STAMP_START, at + 1)) {
      const start = at + STAMP_START.length;
      this.lags.push(receivedAt - Number(payload.toString("latin1", start, payload.indexOf(STAMP_END, start))));
    }
  }

  #acknowledgeIfDue(socket: RawSocket, isCaughtUp: boolean): void {
    const isMuch = this.seq - this.#ackedSeq >= ACK.events || this.#unackedBytes >= ACK.bytes;
    if (isCaughtUp || isMuch) this.#acknowledge(socket);
    else if (this.seq > this.#ackedSeq) this.#ackTimer ??= setTimeout(() => this.#acknowledge(socket), ACK.delayMs);
  }

  #acknowledge(socket: RawSocket): void {
    if (this.#ackTimer !== null) clearTimeout(this.#ackTimer);
    this.#ackTimer = null;
    this.#ackedSeq = this.seq;
    this.#unackedBytes = 0;
    socket.send(`{"type":"ack","seq":${this.seq}}`);
  }
}

/** Where messages differ that are not an event: `{"type":"caught_up"`, `{"type":"agent.delta"`, `{"type":"events"`. */
const KIND_AT = '{"type":"'.length;
const KINDS = { caughtUp: "c".charCodeAt(0), delta: "a".charCodeAt(0) } as const;
/** In a text of JSON the quotation marks would be escaped. */
const SEQ = '"seq":';

function lastSeqIn(payload: Buffer): number {
  const at = payload.lastIndexOf(SEQ);
  return at === -1 ? 0 : Number.parseInt(payload.toString("latin1", at + SEQ.length, at + SEQ.length + 16), 10);
}

interface Open {
  viewer: Viewer;
  socket: RawSocket;
}

let open: Open[] = [];
let seen: Promise<unknown> = Promise.resolve();

const face = {
  /** Opens viewers beside those that are open. */
  async open(order: OpenOrder): Promise<OpenReport> {
    const startedAt = nowMs();
    const opened = await Promise.all(
      order.urls.map(async (url) => {
        const dialledAt = nowMs();
        await openViewer(url, order);
        return nowMs() - dialledAt;
      }),
    );
    return { totalMs: nowMs() - startedAt, eachMs: opened };
  },

  /** From here on every viewer is to see so many more events, and so many times of sending in them and in live text. */
  expect({ events, stamps }: { events: number; stamps: number }): void {
    seen = Promise.all(
      open.map(({ viewer }) => {
        Object.assign(viewer, { messages: 0, bytes: 0, lags: [] });
        const until = viewer.seq + events;
        return changed(viewer, () => viewer.seq >= until && viewer.lags.length >= stamps);
      }),
    );
  },

  /** Waits until every viewer has seen what was expected. */
  async seen(): Promise<SeenReport> {
    await seen;
    const at = nowMs();
    const viewers = open.map(({ viewer }) => viewer);
    const lags = viewers.flatMap((viewer) => viewer.lags);
    const share = (of: number) => percentile(lags, of);
    return {
      at,
      messages: viewers.reduce((sum, viewer) => sum + viewer.messages, 0),
      bytes: viewers.reduce((sum, viewer) => sum + viewer.bytes, 0),
      lag: lags.length === 0 ? null : { p50Ms: share(0.5), p99Ms: share(0.99) },
    };
  },

  close(): void {
    for (const { viewer, socket } of open) {
      viewer.stop();
      socket.end();
    }
    open = [];
  },
};

export type Viewers = typeof face;
serveHelper(face);

async function openViewer(url: string, { headers, acks, after, saysCaughtUp }: OpenOrder): Promise<void> {
  const viewer = new Viewer(acks, after);
  const socket = await RawSocket.open({
    url,
    headers,
    onMessage: (payload, from) => viewer.take(payload, from),
    onClose: (why) => {
      viewer.closed ??= why;
      viewer.onChange();
    },
  });
  open.push({ viewer, socket });
  if (saysCaughtUp) await changed(viewer, () => viewer.isCaughtUp);
}

/** Resolves when a message has made the condition true. @throws Error when the viewer is closed before. */
function changed(viewer: Viewer, isTrue: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    viewer.onChange = () => {
      if (isTrue()) resolve();
      else if (viewer.closed !== null) reject(new Error(`a viewer was ${viewer.closed} at ${viewer.seq}`));
      else return;
      viewer.onChange = () => {};
    };
    viewer.onChange();
  });
}
