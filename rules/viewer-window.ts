/** Flow control of one viewer: from what it was sent and has acknowledged follows how much more may be sent. Pure. */
import { VIEWER_STALL_MS, VIEWER_WINDOW } from "#protocol/viewer.ts";
import { type Chunk, splitChunk } from "./transcript-chunk.ts";

/** A message that is this long, in UTF-16 units, takes in no further event. */
const MESSAGE_LENGTH = 262_144;

/** Where a viewer stands. It lives in the socket's attachment, so that it outlives an eviction. */
export interface ViewerPosition {
  sentSeq: number;
  /** Length of the session up to `sentSeq`, in bytes; likewise for `ackedSeq`. */
  sentBytes: number;
  ackedSeq: number;
  ackedBytes: number;
  /** Since when something is under way and nothing has been acknowledged; null when nothing is under way. */
  waitingSinceMs: number | null;
  isCaughtUp: boolean;
  /** How much its latest acknowledgement was for: it may wait for as much before the next. Absent before the first. */
  acknowledged?: { events: number; bytes: number };
}

export interface Sendable {
  seq: number;
  endBytes: number;
}

/** What goes out in one message. */
export interface Batch extends Sendable {
  count: number;
  text: string;
}

/** How many events may be read for this viewer at most. */
export function roomInEvents(position: ViewerPosition): number {
  return Math.max(0, VIEWER_WINDOW.events - (position.sentSeq - position.ackedSeq));
}

/** The events, in their order, that fit into the window. One event alone always fits. */
export function takeFitting<Item extends Sendable>(position: ViewerPosition, items: readonly Item[]): Item[] {
  const room = roomInEvents(position);
  const isIdle = position.sentSeq === position.ackedSeq;
  return items.filter(
    (item, index) =>
      index < room && (item.endBytes - position.ackedBytes <= VIEWER_WINDOW.bytes || (isIdle && index === 0)),
  );
}

/** Whether a message may go out to this viewer now. */
export function fitsWindow({ ackedSeq, ackedBytes }: ViewerPosition, { seq, endBytes }: Sendable): boolean {
  return seq - ackedSeq <= VIEWER_WINDOW.events && endBytes - ackedBytes <= VIEWER_WINDOW.bytes;
}

/**
 * The messages that bring as much of the chunks as fits into the window.
 * @param chunks what follows the viewer's position, in its order; the first one may begin before it.
 */
export function takeMessages(position: ViewerPosition, chunks: readonly Chunk[]): Batch[] {
  const messages: Batch[] = [];
  let bodies: string[] = [];
  let batch = { count: 0, length: 0, seq: position.sentSeq, endBytes: position.sentBytes };
  const close = () => {
    if (batch.count === 0) return;
    messages.push({
      seq: batch.seq,
      endBytes: batch.endBytes,
      count: batch.count,
      text: messageOf(bodies, batch.count),
    });
    bodies = [];
    batch = { ...batch, count: 0, length: 0 };
  };
  for (const chunk of chunks) {
    const fitting = fittingPart({ ...position, sentSeq: batch.seq, sentBytes: batch.endBytes }, chunk);
    if (fitting === null) break;
    bodies.push(fitting.body);
    const length = batch.length + fitting.body.length;
    batch = {
      count: batch.count + fitting.lastSeq - batch.seq,
      length,
      seq: fitting.lastSeq,
      endBytes: fitting.endBytes,
    };
    if (length >= MESSAGE_LENGTH) close();
    if (fitting.lastSeq < chunk.lastSeq) break;
  }
  close();
  return messages;
}

/** The part of a chunk that is next and fits; whole chunks are not taken apart where the viewer has enough to go on with. */
function fittingPart(position: ViewerPosition, chunk: Chunk): Omit<Chunk, "firstSeq"> | null {
  const isNext = chunk.firstSeq === position.sentSeq + 1;
  const fits = chunk.endBytes - position.ackedBytes <= VIEWER_WINDOW.bytes;
  if (isNext && fits && chunk.lastSeq - position.sentSeq <= roomInEvents(position)) return chunk;
  if (isNext && hasEnough(position)) return null;
  const events = takeFitting(
    position,
    splitChunk(chunk).filter(({ seq }) => seq > position.sentSeq),
  );
  const last = events.at(-1);
  if (last === undefined) return null;
  return { lastSeq: last.seq, endBytes: last.endBytes, body: events.map(({ body }) => body).join("\n") };
}

/**
 * Whether so much is under way that this viewer acknowledges some of it at once: as much as last time, and at least half of
 * the events, or as many bytes as have a quarter of the window in characters, which take three at most. One that has not
 * acknowledged anything yet may be waiting for all of its window.
 */
export function hasEnough({ sentSeq, sentBytes, ackedSeq, ackedBytes, acknowledged }: ViewerPosition): boolean {
  const { events, bytes } = acknowledged ?? VIEWER_WINDOW;
  return (
    sentSeq - ackedSeq >= Math.max(events, VIEWER_WINDOW.events / 2) ||
    sentBytes - ackedBytes >= Math.max(bytes, (VIEWER_WINDOW.bytes / 4) * 3)
  );
}

/**
 * Stored bodies are JSON already: they are put together, not parsed and written again. By `+` alone, since that copies
 * nothing until the message is sent, where `join` copies all of it once more.
 */
function messageOf(bodies: readonly string[], count: number): string {
  if (count === 1 && bodies[0] !== undefined) return bodies[0];
  let events = "";
  for (const body of bodies) events += (events === "" ? "" : ",") + body.replaceAll("\n", ",");
  return `{"type":"events","events":[${events}]}`;
}

export function afterSend(position: ViewerPosition, last: Sendable, nowMs: number): ViewerPosition {
  return {
    ...position,
    sentSeq: last.seq,
    sentBytes: last.endBytes,
    waitingSinceMs: position.waitingSinceMs ?? nowMs,
  };
}

/**
 * @param acked the acknowledged event; one that was never sent counts as the last that was. Its bytes may be fewer than
 *   they are where transcripts lie in R2.
 */
export function afterAck(position: ViewerPosition, acked: Sendable, nowMs: number): ViewerPosition {
  if (acked.seq <= position.ackedSeq) return position;
  const isAll = acked.seq >= position.sentSeq;
  const ackedSeq = isAll ? position.sentSeq : acked.seq;
  const ackedBytes = isAll ? position.sentBytes : Math.max(position.ackedBytes, acked.endBytes);
  return {
    ...position,
    ackedSeq,
    ackedBytes,
    waitingSinceMs: isAll ? null : nowMs,
    acknowledged: { events: ackedSeq - position.ackedSeq, bytes: ackedBytes - position.ackedBytes },
  };
}

/** When the viewer counts as stalled, in Unix milliseconds; null while nothing is under way to it. */
export function stallAt(position: ViewerPosition): number | null {
  return position.waitingSinceMs === null ? null : position.waitingSinceMs + VIEWER_STALL_MS;
}
