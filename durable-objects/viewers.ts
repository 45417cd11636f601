/** Hibernating sockets of viewers: replay, live, and no more under way than the window allows. */

import { byteLength, type Delta } from "#protocol/transcript.ts";
import { CLOSE_CODES, type LiveMessage, VIEWER_WINDOW, viewerMessageSchema } from "#protocol/viewer.ts";
import { closeQuietly, parseJson, sendQuietly } from "./sockets.ts";
import type { StoredEvent, TranscriptLog } from "./transcript-log.ts";
import { afterAck, afterSend, roomInEvents, stallAt, takeFitting, type ViewerPosition } from "./viewer-window.ts";

/** Deltas that may be under way between two acknowledgements: beyond it the viewer waits for the message. */
const DELTA_BUDGET_BYTES = 262_144;
/** How many events are read from storage at once. */
const READ_AHEAD = 128;

export interface ViewerAttachment extends ViewerPosition {
  kind: "viewer";
  sessionId: string;
  /** The access that opened the socket, when it can be revoked. */
  access: string | null;
}

export interface ViewerEvents {
  /** Whether a run of the session is on or queued. */
  isActive(sessionId: string): boolean;
  /** Something is under way to a viewer, which counts as stalled at this time. */
  onWaiting(stallAtMs: number): void;
}

export class Viewers {
  readonly #context: DurableObjectState;
  readonly #log: TranscriptLog;
  readonly #events: ViewerEvents;
  /** Bytes of deltas since the viewer's last acknowledgement; losing them costs nothing. */
  readonly #deltaBytes = new WeakMap<WebSocket, number>();

  constructor(context: DurableObjectState, log: TranscriptLog, events: ViewerEvents) {
    this.#context = context;
    this.#log = log;
    this.#events = events;
  }

  /** Takes a viewer in and sends what comes after `after`, as far as its window allows. */
  accept(socket: WebSocket, viewer: { sessionId: string; after: number; access: string | null }, nowMs: number): void {
    const { sessionId, after, access } = viewer;
    this.#context.acceptWebSocket(socket, [tagOf(sessionId)]);
    const bytes = this.#log.endBytes(sessionId, after);
    const position = { sentSeq: after, sentBytes: bytes, ackedSeq: after, ackedBytes: bytes };
    this.#save(socket, { kind: "viewer", sessionId, access, ...position, waitingSinceMs: null, isCaughtUp: false });
    this.#pump(socket, nowMs);
  }

  /** Sends what is new in a session to everybody who has room for it. */
  announce(sessionId: string, nowMs: number): void {
    for (const socket of this.#context.getWebSockets(tagOf(sessionId))) this.#pump(socket, nowMs);
  }

  /** Live text: sent to those who are caught up, never stored, dropped for those who don't keep up. */
  sendDelta(sessionId: string, delta: Delta): void {
    const text = JSON.stringify(delta);
    for (const socket of this.#context.getWebSockets(tagOf(sessionId))) {
      const position = this.#load(socket);
      const bytes = (this.#deltaBytes.get(socket) ?? 0) + byteLength(text);
      if (position?.isCaughtUp !== true || bytes > DELTA_BUDGET_BYTES || roomInEvents(position) === 0) continue;
      this.#deltaBytes.set(socket, bytes);
      sendQuietly(socket, text);
    }
  }

  /** A message from a viewer. */
  receive(socket: WebSocket, text: string, nowMs: number): void {
    const message = viewerMessageSchema.safeParse(parseJson(text));
    if (!message.success) {
      closeQuietly(socket, CLOSE_CODES.badMessage, "not a message of this interface");
      return;
    }
    if (message.data.type !== "ack") {
      const text = "Messages and interrupts are not available yet.";
      this.#send(socket, { type: "rejected", id: message.data.id, code: "not_available_yet", message: text });
      return;
    }
    const attachment = this.#load(socket);
    if (attachment === null) return;
    const { seq } = message.data;
    const acked = { seq, endBytes: this.#log.endBytes(attachment.sessionId, Math.min(seq, attachment.sentSeq)) };
    this.#deltaBytes.delete(socket);
    this.#save(socket, { ...attachment, ...afterAck(attachment, acked, nowMs) });
    this.#pump(socket, nowMs);
  }

  /** Closes viewers that have acknowledged nothing for too long. @returns when the next would be, in Unix milliseconds. */
  closeStalled(nowMs: number): number | null {
    let next: number | null = null;
    for (const socket of this.#context.getWebSockets()) {
      const position = socket.readyState === WebSocket.OPEN ? this.#load(socket) : null;
      const dueAt = position === null ? null : stallAt(position);
      if (dueAt === null) continue;
      if (dueAt <= nowMs) closeQuietly(socket, CLOSE_CODES.tooSlow, "nothing acknowledged for a minute");
      else next = Math.min(next ?? dueAt, dueAt);
    }
    return next;
  }

  closeAccess(access: string): void {
    for (const socket of this.#context.getWebSockets()) {
      if (this.#load(socket)?.access === access) closeQuietly(socket, CLOSE_CODES.notAllowed, "the access was revoked");
    }
  }

  closeAll(code: number, reason: string): void {
    for (const socket of this.#context.getWebSockets()) {
      if (this.#load(socket) !== null) closeQuietly(socket, code, reason);
    }
  }

  #pump(socket: WebSocket, nowMs: number): void {
    let attachment = this.#load(socket);
    if (attachment === null || socket.readyState !== WebSocket.OPEN) return;
    for (let batch = this.#fitting(attachment); batch.length > 0; batch = this.#fitting(attachment)) {
      sendQuietly(socket, messageOf(batch));
      attachment = { ...attachment, ...afterSend(attachment, batch, nowMs) };
    }
    const lastSeq = this.#log.end(attachment.sessionId)?.lastSeq ?? 0;
    if (!attachment.isCaughtUp && attachment.sentSeq >= lastSeq) {
      attachment = { ...attachment, isCaughtUp: true };
      this.#send(socket, { type: "caught_up", seq: lastSeq, active: this.#events.isActive(attachment.sessionId) });
    }
    this.#save(socket, attachment);
    const dueAt = stallAt(attachment);
    if (dueAt !== null) this.#events.onWaiting(dueAt);
  }

  /** What is next for this viewer and fits into its window. */
  #fitting(attachment: ViewerAttachment): StoredEvent[] {
    const limit = Math.min(READ_AHEAD, roomInEvents(attachment));
    const maxEndBytes = attachment.ackedBytes + VIEWER_WINDOW.bytes;
    if (limit === 0 || attachment.sentBytes >= maxEndBytes) return [];
    // One event alone always fits: else a long one would never be sent.
    const alwaysFirst = attachment.sentSeq === attachment.ackedSeq;
    const read = this.#log.read(attachment.sessionId, attachment.sentSeq, { limit, maxEndBytes, alwaysFirst });
    return takeFitting(attachment, read);
  }

  #send(socket: WebSocket, message: LiveMessage): void {
    sendQuietly(socket, JSON.stringify(message));
  }

  #load(socket: WebSocket): ViewerAttachment | null {
    const attachment: ViewerAttachment | { kind: "link" } | null = socket.deserializeAttachment();
    return attachment?.kind === "viewer" ? attachment : null;
  }

  #save(socket: WebSocket, attachment: ViewerAttachment): void {
    socket.serializeAttachment(attachment);
  }
}

function tagOf(sessionId: string): string {
  return `viewer:${sessionId}`;
}

/** Stored bodies are JSON already: they are joined, not parsed and written again. */
function messageOf(events: readonly StoredEvent[]): string {
  const [first] = events;
  if (events.length === 1 && first !== undefined) return first.body;
  return `{"type":"events","events":[${events.map((event) => event.body).join(",")}]}`;
}
