/** Flow control of one viewer. Pure: what it was sent and has acknowledged in; how much more may go out. */
import { VIEWER_STALL_MS, VIEWER_WINDOW } from "#protocol/viewer.ts";

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
}

export interface Sendable {
  seq: number;
  endBytes: number;
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

export function afterSend(position: ViewerPosition, sent: readonly Sendable[], nowMs: number): ViewerPosition {
  const last = sent.at(-1);
  if (last === undefined) return position;
  return {
    ...position,
    sentSeq: last.seq,
    sentBytes: last.endBytes,
    waitingSinceMs: position.waitingSinceMs ?? nowMs,
  };
}

/** @param acked the acknowledged event; one that was never sent counts as the last that was. */
export function afterAck(position: ViewerPosition, acked: Sendable, nowMs: number): ViewerPosition {
  if (acked.seq <= position.ackedSeq) return position;
  const isAll = acked.seq >= position.sentSeq;
  return {
    ...position,
    ackedSeq: isAll ? position.sentSeq : acked.seq,
    ackedBytes: isAll ? position.sentBytes : acked.endBytes,
    waitingSinceMs: isAll ? null : nowMs,
  };
}

/** When the viewer counts as stalled, in Unix milliseconds; null while nothing is under way to it. */
export function stallAt(position: ViewerPosition): number | null {
  return position.waitingSinceMs === null ? null : position.waitingSinceMs + VIEWER_STALL_MS;
}
