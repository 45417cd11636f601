/** Hibernating sockets of viewers: replay, live, and no more under way than the window allows. */

import { closeQuietly, sendQuietly } from "#instance/sockets.ts";
import type { Actor } from "#protocol/actor.ts";
import { API_ERRORS } from "#protocol/api-errors.ts";
import { type Result, refuse } from "#protocol/errors.ts";
import { byteLength, type Delta } from "#protocol/transcript.ts";
import { CLOSE_CODES, type LiveMessage, VIEWER_WINDOW, type ViewerMessage } from "#protocol/viewer.ts";
import { wellFormedJson } from "#protocol/well-formed.ts";
import {
  afterAck,
  afterSend,
  type Batch,
  fitsWindow,
  hasEnough,
  roomInEvents,
  stallAt,
  takeMessages,
} from "#rules/viewer-window.ts";
import type { TranscriptLog } from "../transcript/transcript-log.ts";
import { type Access, actorBy } from "./access.ts";
import { loadPart } from "./load-part.ts";
import { readMessage } from "./read-message.ts";
import { RecentMessages } from "./recent-messages.ts";
import { type ViewerAttachment, ViewerPlaces } from "./viewer-places.ts";

/** Deltas that may be under way between two acknowledgements: beyond it the viewer waits for the message. */
const DELTA_BUDGET_BYTES = 262_144;

/** A message or an interrupt of a viewer's. */
export type SaidByViewer = Exclude<ViewerMessage, { type: "ack" }>;
type Listener = (sessionId: string, said: SaidByViewer, by: Actor) => Result<unknown>;

/** What is used of the platform's object. */
type SocketContext = Pick<DurableObjectState, "getWebSockets" | "acceptWebSocket">;

export class Viewers {
  readonly #context: SocketContext;
  readonly #log: TranscriptLog;
  readonly #places = new ViewerPlaces();
  readonly #recent = new RecentMessages();
  readonly #isActive: (sessionId: string) => boolean;
  #say: Listener = () => refuse("not_found");
  #arm = (): void => {};
  /** Bytes of deltas since the viewer's last acknowledgement; losing them costs nothing. */
  readonly #deltaBytes = new WeakMap<WebSocket, number>();
  /** Sessions for whose viewers something is being loaded. */
  readonly #loading = new Set<string>();
  /** Not later than when the first viewer has to be looked at; undefined when it is not known. */
  #dueAt: number | null | undefined;
  #isSooner = false;

  /** @param isActive whether a run of the session is on or queued. */
  constructor(context: SocketContext, log: TranscriptLog, isActive: (sessionId: string) => boolean) {
    this.#context = context;
    this.#log = log;
    this.#isActive = isActive;
  }

  /** Takes a viewer in and sends what comes after `after`, as far as its window allows. */
  accept(socket: WebSocket, viewer: { sessionId: string; after: number; access: Access }, nowMs: number): void {
    const { sessionId, after, access } = viewer;
    this.#context.acceptWebSocket(socket, [tagOf(sessionId)]);
    const bytes = this.#log.bytesUpTo(sessionId, after);
    const position = { sentSeq: after, sentBytes: bytes, ackedSeq: after, ackedBytes: bytes };
    const place = { ...position, waitingSinceMs: null, isCaughtUp: false };
    this.#places.begin(socket, { kind: "viewer", sessionId, access, ...place });
    if (access.untilMs !== null) this.#expect(access.untilMs);
    this.#pump(socket, nowMs);
  }

  /** Sends what is new in a session to everybody who has room for it. */
  sendNew(sessionId: string, nowMs: number): void {
    for (const socket of this.#context.getWebSockets(tagOf(sessionId))) this.#pump(socket, nowMs);
  }

  /** Live text: sent to those who are caught up, never stored, dropped for those who don't keep up. */
  sendDelta(sessionId: string, delta: Delta): void {
    const text = wellFormedJson(JSON.stringify(delta));
    const length = byteLength(text);
    for (const socket of this.#context.getWebSockets(tagOf(sessionId))) {
      const position = this.#places.of(socket);
      const bytes = (this.#deltaBytes.get(socket) ?? 0) + length;
      if (position?.isCaughtUp !== true || bytes > DELTA_BUDGET_BYTES || roomInEvents(position) === 0) continue;
      this.#deltaBytes.set(socket, bytes);
      sendQuietly(socket, text);
    }
  }

  /** @returns whether the message was on a viewer's socket. */
  receive(socket: WebSocket, text: string, nowMs: number): boolean {
    const attachment = this.#places.of(socket);
    if (attachment !== null) this.#receive(socket, attachment, text, nowMs);
    return attachment !== null;
  }

  #receive(socket: WebSocket, attachment: ViewerAttachment, text: string, nowMs: number): void {
    const message = readMessage(text);
    if (message === null) closeQuietly(socket, CLOSE_CODES.badMessage, "not a message of this interface");
    else if (message.type === "ack") this.#acknowledged(socket, attachment, message.seq, nowMs);
    else this.#send(socket, this.#said(attachment.sessionId, message, actorBy(attachment.access)));
  }

  #acknowledged(socket: WebSocket, attachment: ViewerAttachment, seq: number, nowMs: number): void {
    const endBytes = this.#places.acknowledged(socket, seq) ?? this.#log.bytesUpTo(attachment.sessionId, seq);
    const acked = { seq, endBytes };
    this.#deltaBytes.delete(socket);
    this.#places.move(socket, { ...attachment, ...afterAck(attachment, acked, nowMs) });
    this.#pump(socket, nowMs);
  }

  /** @param listener takes what viewers say to their sessions. */
  heardBy(listener: Listener): void {
    this.#say = listener;
  }

  /** @param arm has the alarm ring for viewers that may have to be looked at: nobody asks for it while something is loaded. */
  armedBy(arm: () => void): void {
    this.#arm = arm;
  }

  #said(sessionId: string, said: SaidByViewer, by: Actor): LiveMessage {
    const heard = this.#say(sessionId, said, by);
    if (heard.ok) return { type: "accepted", id: said.id };
    const { code, message = API_ERRORS[code].message } = heard.refusal;
    return { type: "rejected", id: said.id, code, message };
  }

  /** Closes viewers that have acknowledged nothing for too long, and those whose access has come to its end. */
  closeDue(nowMs: number): void {
    this.#dueAt = undefined;
    for (const { socket, stalledAt, endsAt } of this.#waiting()) {
      if (endsAt <= nowMs) closeQuietly(socket, CLOSE_CODES.notAllowed, "the sign-in has expired");
      else if (stalledAt <= nowMs) closeQuietly(socket, CLOSE_CODES.tooSlow, "nothing acknowledged for a minute");
    }
  }

  /** When to look again, in Unix milliseconds: at the first viewer's deadline or before it; null without viewers. */
  nextDue(): number | null {
    if (this.#dueAt === undefined) {
      const next = Math.min(...this.#waiting().map(({ stalledAt, endsAt }) => Math.min(stalledAt, endsAt)));
      this.#dueAt = Number.isFinite(next) ? next : null;
    }
    return this.#dueAt;
  }

  /** Open viewers, with the moments at which each counts as stalled and at which its access ends: infinity for never. */
  #waiting(): { socket: WebSocket; stalledAt: number; endsAt: number }[] {
    return this.#context.getWebSockets().flatMap((socket) => {
      const viewer = socket.readyState === WebSocket.OPEN ? this.#places.of(socket) : null;
      if (viewer === null) return [];
      const stalledAt = stallAt(viewer) ?? Number.POSITIVE_INFINITY;
      return [{ socket, stalledAt, endsAt: viewer.access.untilMs ?? Number.POSITIVE_INFINITY }];
    });
  }

  /** Closes the viewers that were let in by what holds no more. */
  closeAccess(hasEnded: (access: Access) => boolean): void {
    for (const socket of this.#context.getWebSockets()) {
      const viewer = this.#places.of(socket);
      if (viewer !== null && hasEnded(viewer.access)) {
        closeQuietly(socket, CLOSE_CODES.notAllowed, "the access has ended");
      }
    }
  }

  closeSession(sessionId: string, code: number, reason: string): void {
    this.#recent.clear();
    for (const socket of this.#context.getWebSockets(tagOf(sessionId))) closeQuietly(socket, code, reason);
  }

  closeAll(code: number, reason: string): void {
    this.#recent.clear();
    for (const socket of this.#context.getWebSockets()) {
      if (this.#places.of(socket) !== null) closeQuietly(socket, code, reason);
    }
  }

  #pump(socket: WebSocket, nowMs: number): void {
    const before = this.#places.of(socket);
    if (before === null || socket.readyState !== WebSocket.OPEN) return;
    const lastSeq = this.#log.end(before.sessionId)?.lastSeq ?? 0;
    let attachment = before;
    while (attachment.sentSeq < lastSeq) {
      const messages = this.#messagesFor(attachment);
      for (const message of messages) {
        sendQuietly(socket, message.text);
        this.#places.sent(socket, message);
        attachment = { ...attachment, ...afterSend(attachment, message, nowMs) };
      }
      if (messages.length > 0) continue;
      const missing = waitsForMore(attachment) ? this.#log.missing(attachment.sessionId, attachment.sentSeq) : null;
      if (missing !== null) void this.#load(attachment.sessionId, missing);
      break;
    }
    if (!attachment.isCaughtUp && attachment.sentSeq >= lastSeq) {
      attachment = { ...attachment, isCaughtUp: true };
      this.#send(socket, { type: "caught_up", seq: lastSeq, active: this.#isActive(attachment.sessionId) });
    }
    if (attachment !== before) this.#places.move(socket, attachment);
    const dueAt = stallAt(attachment);
    if (dueAt !== null) this.#expect(dueAt);
  }

  /** Viewers get what lies in R2 once it is there. Where it does not come they are sent away, and dial again. Never rejects. */
  async #load(sessionId: string, key: string): Promise<void> {
    if (this.#loading.has(sessionId)) return;
    this.#loading.add(sessionId);
    const isLoaded = await loadPart(this.#log, sessionId, key);
    this.#loading.delete(sessionId);
    if (isLoaded) this.sendNew(sessionId, Date.now());
    else this.#sendAway(sessionId);
    this.#arm();
  }

  /** Those who wait for what does not come. */
  #sendAway(sessionId: string): void {
    for (const socket of this.#context.getWebSockets(tagOf(sessionId))) {
      const viewer = this.#places.of(socket);
      if (viewer === null || this.#log.missing(sessionId, viewer.sentSeq) === null) continue;
      closeQuietly(socket, CLOSE_CODES.restarting, "the transcript can't be read just now");
    }
  }

  #expect(momentMs: number): void {
    if (this.#dueAt !== undefined && momentMs >= (this.#dueAt ?? Number.POSITIVE_INFINITY)) return;
    if (this.#dueAt !== undefined) this.#dueAt = momentMs;
    this.#isSooner = true;
  }

  /** Whether a viewer may have to be looked at sooner than when this was asked last. */
  takeSooner(): boolean {
    const isSooner = this.#isSooner;
    this.#isSooner = false;
    return isSooner;
  }

  /** What is next for this viewer and fits into its window, or the beginning of it. Those who stand at the same place share the work. */
  #messagesFor(attachment: ViewerAttachment): Batch[] {
    const { sessionId, sentSeq } = attachment;
    const recent = this.#recent.after(sessionId, sentSeq);
    if (recent !== null && fitsWindow(attachment, recent)) return [recent];
    // A part of it would be made for this viewer alone, and again at each place where it then stands by itself.
    if (roomInEvents(attachment) === 0 || (recent !== null && hasEnough(attachment))) return [];
    const messages = this.#read(attachment);
    let after = sentSeq;
    for (const message of messages) {
      this.#recent.add(sessionId, after, message);
      after = message.seq;
    }
    return messages;
  }

  #read(attachment: ViewerAttachment): Batch[] {
    const { sessionId, sentSeq, sentBytes, ackedBytes } = attachment;
    const maxEndBytes = ackedBytes + VIEWER_WINDOW.bytes;
    if (sentBytes >= maxEndBytes) return [];
    const maxSeq = sentSeq + roomInEvents(attachment);
    return takeMessages(attachment, this.#log.read(sessionId, sentSeq, { maxSeq, maxEndBytes }));
  }

  #send(socket: WebSocket, message: LiveMessage): void {
    sendQuietly(socket, wellFormedJson(JSON.stringify(message)));
  }
}

/** Whether the viewer may be sent anything, and will not ask by an acknowledgement first. */
function waitsForMore(viewer: ViewerAttachment): boolean {
  return !hasEnough(viewer) && roomInEvents(viewer) > 0 && viewer.sentBytes < viewer.ackedBytes + VIEWER_WINDOW.bytes;
}

function tagOf(sessionId: string): string {
  return `viewer:${sessionId}`;
}
