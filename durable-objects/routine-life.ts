/** The life of an open routine's object: transactions, sockets, the alarm, and the calls it owes. */
import { errorText, logLine } from "#protocol/log.ts";
import type { RunnerRef } from "#protocol/run.ts";
import { runError } from "#protocol/run-errors.ts";
import type { Frame, FrameBody, LeaseRef } from "#protocol/runner-link.ts";
import type { Delta } from "#protocol/transcript.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import type { Access } from "./access.ts";
import { announceRun } from "./announce-run.ts";
import { projectionOf } from "./definition-changes.ts";
import type { Config, ObjectEnv } from "./environment.ts";
import { FLUSH_DELAY_MS, FrameBuffer, type PendingRun } from "./frame-buffer.ts";
import { poolObject } from "./object-ids.ts";
import { OwedCalls } from "./owed-calls.ts";
import type { RoutineParts } from "./routine-parts.ts";
import type { LeaseEnd } from "./run-happenings.ts";
import { type Greeting, type LinkAttachment, RunLinks } from "./run-links.ts";
import { runOrder } from "./run-order.ts";
import { TimeKeeping } from "./time-keeping.ts";
import { type ViewerAttachment, Viewers } from "./viewers.ts";

/** A flush that failed is tried again after this long, and this often. */
const FLUSH_RETRY_MS = 1_000;
const FLUSH_TRIES = 10;

/** No web session lasts longer: after that nobody comes with it. */
const ACCESS_KEPT_MS = 31 * 86_400_000;

/** How a run ends whose frames can't be stored. */
const UNSTORABLE: Extract<FrameBody, { kind: "finished" }> = {
  kind: "finished",
  outcome: { status: "failed", error: runError("finish_failed", "finish") },
  report: null,
  seen: { turns: 0, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
};

export class RoutineLife {
  readonly parts: RoutineParts;
  readonly viewers: Viewers;
  readonly links: RunLinks;
  readonly time: TimeKeeping;
  readonly #context: DurableObjectState;
  readonly #config: Config;
  readonly #owed: OwedCalls;
  readonly #frames = new FrameBuffer();
  readonly #failedFlushes = new Map<string, number>();
  #flushTimer: ReturnType<typeof setTimeout> | null = null;
  #alarmAt: number | null;

  /** @param alarmAt for when the alarm is armed already. */
  constructor(
    context: DurableObjectState,
    env: ObjectEnv,
    config: Config,
    parts: RoutineParts,
    alarmAt: number | null,
  ) {
    this.#alarmAt = alarmAt;
    this.#context = context;
    this.#config = config;
    this.parts = parts;
    this.viewers = new Viewers(context, parts.log, {
      isActive: (sessionId) => parts.runs.hasUnsettledRun(sessionId),
      onDue: (momentMs) => this.#armFor(momentMs),
    });
    this.links = new RunLinks(context, {
      isOn: (lease) => parts.engine.leased(lease) !== null,
      greet: (lease, runner, origin) => this.#greet(lease, runner, origin),
      takeFrames: (lease, message) => this.#takeFrames(lease, message.frames),
      takeDelta: (lease, { delta }) => this.#takeDelta(lease, delta),
    });
    this.time = new TimeKeeping(parts, {
      change: (work) => this.change(work),
      wakeAt: (momentMs) => this.#armFor(momentMs),
    });
    this.#owed = new OwedCalls({
      ...parts,
      index: env.DB,
      pool: () => poolObject(env, config.jurisdiction, "default"),
      announce: (run) => {
        const { name } = parts.definitions.row()?.definition ?? run.routine;
        return announceRun(env, config.jurisdiction, run, name);
      },
      project: (row) => {
        const projection = projectionOf(parts, row, Date.now());
        this.time.expect(projection.dueAt);
        return projection;
      },
      onFreed: (lease) => this.endLease(lease, "offer_expired"),
      onDrained: () => {
        this.#purgeIfOver();
        this.#armAlarm();
      },
    });
  }

  /**
   * Does something in one transaction, and afterwards says what has to be said, makes the calls that are owed, and arms
   * the alarm. Nothing is awaited between the first read and the last write.
   */
  change<Value>(work: (nowMs: number) => Value): Value {
    const nowMs = Date.now();
    const value = this.#inTransaction(() => work(nowMs));
    this.#afterwards(nowMs);
    return value;
  }

  /** Resolves when every owed call has been tried once. */
  settled(): Promise<void> {
    return this.#owed.drain();
  }

  /** @throws Error while the lease's last frames can't be stored: they say how the attempt ended, so it is told again. */
  endLease(lease: LeaseRef, end: LeaseEnd): void {
    this.flush();
    if (this.#frames.holds(lease)) throw new Error("the attempt's frames are not stored yet");
    this.change((nowMs) => {
      if (this.parts.engine.leased(lease) === null) return;
      this.parts.engine.happen(lease.run_id, { type: "lease_ended", end }, nowMs);
    });
  }

  /** Ends a web session here. */
  revoke(session: string): void {
    this.change((nowMs) => this.parts.accesses.revoke(session, nowMs + ACCESS_KEPT_MS, nowMs));
    this.viewers.closeAccess((access) => access.session === session);
  }

  acceptViewer(sessionId: string, after: number, access: Access): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.viewers.accept(server, { sessionId, after, access }, Date.now());
    return new Response(null, { status: 101, webSocket: client });
  }

  receive(socket: WebSocket, text: string): void {
    const attachment: ViewerAttachment | LinkAttachment | null = socket.deserializeAttachment();
    if (attachment?.kind === "link") this.links.receive(socket, attachment, text);
    else if (attachment?.kind === "viewer") this.viewers.receive(socket, text, Date.now());
  }

  wake(): void {
    this.#alarmAt = null;
    this.parts.outbox.forget();
    this.change((nowMs) => {
      for (const { kind, ref } of this.parts.deadlines.takeDue(nowMs)) {
        this.parts.engine.happen(ref, { type: "overdue", kind }, nowMs);
      }
    });
    this.time.attend();
    void this.#owed.drain();
    this.#armFor(this.viewers.closeDue(Date.now()));
  }

  closeViewers(reason: string): void {
    this.viewers.closeAll(CLOSE_CODES.noSuchSession, reason);
  }

  /** Stores every frame that has come, of all runs, in one transaction; then acknowledges them. */
  flush(): void {
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    this.#flushTimer = null;
    const pending = this.#frames.pending();
    if (pending.length === 0) return;
    const nowMs = Date.now();
    // One run whose frames can't be stored must not hold up the others.
    const left = this.#store(pending, nowMs) ? [] : pending.filter((one) => !this.#store([one], nowMs));
    for (const { runId } of left) this.#postpone(runId, nowMs);
    this.#afterwards(nowMs);
  }

  /** Stores all of it or nothing. */
  #store(pending: readonly PendingRun[], nowMs: number): boolean {
    try {
      this.#inTransaction(() => {
        for (const { runId, generation, frames } of pending) {
          for (const frame of frames) this.parts.engine.takeFrame({ run_id: runId, generation }, frame, nowMs);
        }
      });
    } catch (error) {
      logLine("error", { what: "flush", runs: pending.length, outcome: errorText(error) });
      return false;
    }
    for (const { runId, generation, frames } of pending) {
      this.#frames.drop(runId);
      this.#failedFlushes.delete(runId);
      this.links.acknowledge({ run_id: runId, generation }, frames.at(-1)?.n ?? 0);
    }
    return true;
  }

  /** Frames that were not stored are tried again for a while; then the run ends, as nothing more can be said of it. */
  #postpone(runId: string, nowMs: number): void {
    const tries = (this.#failedFlushes.get(runId) ?? 0) + 1;
    this.#failedFlushes.set(runId, tries);
    if (tries < FLUSH_TRIES) {
      this.#flushSoon(FLUSH_RETRY_MS);
      return;
    }
    this.#frames.drop(runId);
    this.#failedFlushes.delete(runId);
    try {
      this.#inTransaction(() => this.parts.engine.happen(runId, { type: "finished", frame: UNSTORABLE }, nowMs));
    } catch (error) {
      logLine("error", { what: "give_up", run_id: runId, outcome: errorText(error) });
    }
  }

  #inTransaction<Value>(work: () => Value): Value {
    try {
      return this.#context.storage.transactionSync(() => {
        const value = work();
        this.parts.log.write();
        return value;
      });
    } catch (error) {
      this.parts.forget();
      throw error;
    }
  }

  /** Arms the alarm for the earliest of what is written down. */
  #armAlarm(): void {
    this.#armFor(this.parts.deadlines.earliest());
    this.#armFor(this.parts.outbox.earliest());
  }

  /** An alarm that is armed for an earlier moment stays: it finds nothing to do, and arms the next. */
  #armFor(momentMs: number | null): void {
    if (momentMs === null || (this.#alarmAt !== null && this.#alarmAt <= momentMs)) return;
    this.#alarmAt = momentMs;
    void this.#context.storage.setAlarm(momentMs);
  }

  /** What is written stays written, whatever becomes of telling it. */
  #afterwards(nowMs: number): void {
    try {
      this.#say(nowMs);
    } catch (error) {
      logLine("error", { what: "say", outcome: errorText(error) });
    }
    this.#armAlarm();
    this.#owed.drainFresh();
  }

  #say(nowMs: number): void {
    const { sessions, cancels } = this.parts.engine.takeSaid();
    for (const { runId, reason } of cancels) {
      const attempt = this.parts.runs.get(runId)?.doc.attempt;
      if (attempt !== undefined) this.links.cancel({ run_id: runId, generation: attempt }, reason);
    }
    for (const sessionId of sessions) this.viewers.announce(sessionId, nowMs);
  }

  /** A deleted routine whose last run has stopped keeps its tombstone, and nothing else. */
  #purgeIfOver(): void {
    const { definitions, runs, outbox, purge, forget } = this.parts;
    if (definitions.row()?.status !== "deleted" || runs.unsettled().length > 0 || !outbox.isEmpty()) return;
    this.#context.storage.transactionSync(purge);
    forget();
  }

  #greet(lease: LeaseRef, runner: RunnerRef, origin: string): Greeting | null {
    this.flush();
    return this.change((nowMs) => {
      const row = this.parts.engine.happen(lease.run_id, { type: "leased", runner }, nowMs);
      if (row === null || row.doc.runner?.id !== runner.id) return null;
      const definition = this.parts.definitions.atRevision(row.doc.routine.revision);
      const order = runOrder(row.doc, definition, row, {
        baseUrl: this.#config.publicUrl ?? origin,
        otherModels: this.#config.allowedModels,
      });
      return { ack: this.parts.engine.lastFrame(row), order, cancel: row.doc.cancel_reason };
    });
  }

  #takeFrames(lease: LeaseRef, frames: readonly Frame[]): number | null {
    const row = this.parts.engine.leased(lease);
    const lastStored = row === null ? 0 : this.parts.engine.lastFrame(row);
    const missingAfter = this.#frames.add(lease, lastStored, frames);
    // A repeat of what is stored: its acknowledgement was lost with a socket.
    if (this.#frames.isEmpty && missingAfter === null) this.links.acknowledge(lease, lastStored);
    if (this.#frames.isUrgent) this.flush();
    else if (!this.#frames.isEmpty) this.#flushSoon(FLUSH_DELAY_MS);
    return missingAfter;
  }

  #takeDelta(lease: LeaseRef, delta: Delta): void {
    const row = this.parts.engine.leased(lease);
    if (row !== null) this.viewers.sendDelta(row.sessionId, delta);
  }

  #flushSoon(delayMs: number): void {
    this.#flushTimer ??= setTimeout(() => this.flush(), delayMs);
  }
}
