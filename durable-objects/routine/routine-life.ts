/** The life of an open routine's object: sockets, the alarm, and the calls it owes. */

import type { Config, ObjectEnv } from "#instance/config.ts";
import { CALL_DEADLINE_MS, NoAnswer, withinDeadline } from "#instance/in-time.ts";
import type { DueAnswer } from "#instance/object-contracts.ts";
import { poolObject, rosterObject, routineObject } from "#instance/objects.ts";
import type { RunnerRef } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { Delta } from "#protocol/transcript.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import type { LeaseEnd } from "#rules/run/inputs.ts";
import { runOrder } from "#rules/run/run-order.ts";
import { Alarm, type Concern } from "../alarm.ts";
import type { RoutineParts } from "./assemble.ts";
import { projectionOf } from "./definition/change-definition.ts";
import type { RoutineRow } from "./definition/definition-store.ts";
import { purge } from "./definition/purge.ts";
import { Deliver } from "./outbox/deliver.ts";
import { RoutineToIndex, RunsToIndex } from "./receivers/to-index.ts";
import { ToPool } from "./receivers/to-pool.ts";
import { ToRoster } from "./receivers/to-roster.ts";
import { ToRoutines } from "./receivers/to-routines.ts";
import { ReceiveFrames } from "./runs/receive-frames.ts";
import { type Greeting, type LinkAttachment, RunLinks } from "./runs/run-links.ts";
import type { Access } from "./viewers/access.ts";
import { type ViewerAttachment, Viewers } from "./viewers/viewers.ts";
import { DueSchedules } from "./wakes/fire-due.ts";
import type { Work } from "./work.ts";

/** No web session lasts longer: after that nobody comes with it. */
const ACCESS_KEPT_MS = 31 * 86_400_000;

export class RoutineLife {
  readonly parts: RoutineParts;
  readonly viewers: Viewers;
  readonly links: RunLinks;
  readonly time: DueSchedules;
  readonly #config: Config;
  readonly alarm: Alarm;
  readonly owed: Deliver;
  readonly index: RoutineToIndex;
  readonly #frames: ReceiveFrames;

  /** @param alarmAt for when the alarm is armed already. */
  constructor(
    context: DurableObjectState,
    env: ObjectEnv,
    config: Config,
    parts: RoutineParts,
    alarmAt: number | null,
  ) {
    this.#config = config;
    this.parts = parts;
    this.viewers = new Viewers(context, parts.log, {
      isActive: (sessionId) => parts.runs.hasUnsettledRun(sessionId),
      onDue: () => this.alarm.arm(),
    });
    this.links = new RunLinks(context, {
      isOn: (lease) => parts.engine.leased(lease) !== null,
      greet: (lease, runner, origin) => this.#greet(lease, runner, origin),
      takeFrames: (lease, message) => this.#frames.take(lease, message.frames),
      takeDelta: (lease, { delta }) => this.#takeDelta(lease, delta),
    });
    this.#frames = new ReceiveFrames({
      engine: parts.engine,
      work: parts.work,
      acknowledge: (lease, n) => this.links.acknowledge(lease, n),
    });
    this.time = new DueSchedules(parts, parts.work);
    const { definitions, runs, outbox } = parts;
    const pool = () => poolObject(env, config.jurisdiction, "default");
    const toPool = new ToPool(pool, parts, (lease, end) => this.endLease(lease, end));
    this.index = new RoutineToIndex(env.DB, definitions, (row) => projectionOf(parts, row, Date.now()));
    const toRoster = new ToRoster(() => rosterObject(env));
    const receivers = {
      enter_roster: toRoster,
      leave_roster: toRoster,
      ask_pool: toPool,
      release_lease: toPool,
      project_routine: this.index,
      forget_routine: this.index,
      project_run: new RunsToIndex(env.DB, definitions, runs),
      tell_run_ended: new ToRoutines(env.DB, definitions, runs, (id) => routineObject(env, config.jurisdiction, id)),
    };
    this.owed = new Deliver(outbox, parts.work, receivers, () => this.#purgeIfOver());
    this.alarm = new Alarm(context.storage, this.#concerns(), alarmAt);
    parts.work.followedBy(() => this.alarm.arm());
    outbox.giveBack();
  }

  /**
   * Waits for the write of the routine's own entry, and for no other call.
   * @returns whether D1 has the routine as of this version, or later; false also when there was no answer in time.
   */
  async isIndexed(version: number, deadlineMs = CALL_DEADLINE_MS): Promise<boolean> {
    await within(this.owed.settled("project_routine"), deadlineMs);
    return this.index.writtenVersion >= version;
  }

  /** Whether D1 has taken the routine's own entry in, whatever version it had before. */
  async isProjected(id: string): Promise<boolean> {
    await within(this.owed.settled("project_routine"), CALL_DEADLINE_MS);
    return !this.parts.outbox.has("project_routine", id);
  }

  /** The same for the write that takes a deleted routine out of D1. */
  async isForgotten(id: string): Promise<boolean> {
    await within(this.owed.settled("forget_routine"), CALL_DEADLINE_MS);
    return !this.parts.outbox.has("forget_routine", id);
  }

  get work(): Work {
    return this.parts.work;
  }

  /** @throws Error while the lease's last frames can't be stored: they say how the attempt ended, so it is told again. */
  endLease(lease: LeaseRef, end: LeaseEnd): void {
    this.#frames.flush();
    if (this.#frames.holds(lease)) throw new Error("the attempt's frames are not stored yet");
    this.work.change((tx) => {
      if (this.parts.engine.leased(lease) === null) return;
      this.parts.engine.feed(tx, lease.run_id, { type: "lease_ended", end });
    });
  }

  fireDue(routine: RoutineRow): DueAnswer {
    return { ...this.time.fireDue(routine), faults: this.alarm.faults() };
  }

  /** Ends a web session here. */
  revoke(session: string): void {
    this.work.change((tx) => this.parts.accesses.revoke(tx, session, tx.nowMs + ACCESS_KEPT_MS));
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

  closeViewers(reason: string): void {
    this.viewers.closeAll(CLOSE_CODES.noSuchSession, reason);
  }

  /** Stores every frame that has come: what is written next comes after it in the transcript. */
  flush(): void {
    this.#frames.flush();
  }

  /** What the alarm looks after. */
  #concerns(): Concern[] {
    const { deadlines, engine, outbox } = this.parts;
    return [
      {
        name: "deadlines",
        next: () => deadlines.earliest(),
        look: (momentMs) =>
          deadlines.look(momentMs, (tx, { kind, ref }) => void engine.feed(tx, ref, { type: "overdue", kind })),
      },
      { name: "outbox", next: () => outbox.earliest(), look: () => this.owed.drain() },
      { name: "schedules", next: () => this.time.next(), look: () => this.time.fireUnattended() },
      { name: "links", next: () => this.links.next(), look: (nowMs) => this.links.closeLate(nowMs) },
      { name: "viewers", next: () => this.viewers.nextDue(), look: (nowMs) => this.viewers.closeDue(nowMs) },
    ];
  }

  /** A deleted routine whose last run has stopped keeps its tombstone, and nothing else. */
  #purgeIfOver(): void {
    const { definitions, runs, outbox, work } = this.parts;
    const routine = definitions.row();
    if (routine?.status !== "deleted" || runs.queue.unsettled().length > 0 || !outbox.isEmpty()) return;
    work.change((tx) => purge(tx, work, routine));
  }

  #greet(lease: LeaseRef, runner: RunnerRef, origin: string): Greeting | null {
    this.#frames.flush();
    return this.work.change((tx) => {
      const row = this.parts.engine.feed(tx, lease.run_id, { type: "leased", runner });
      if (row === null || row.doc.runner?.id !== runner.id) return null;
      const definition = this.parts.definitions.atRevision(row.doc.routine.revision);
      const order = runOrder(row.doc, definition, row, {
        baseUrl: this.#config.publicUrl ?? origin,
        otherModels: this.#config.allowedModels,
      });
      return { ack: this.parts.engine.lastFrame(row), order, cancel: row.doc.cancel_reason };
    });
  }

  #takeDelta(lease: LeaseRef, delta: Delta): void {
    const row = this.parts.engine.leased(lease);
    if (row !== null) this.viewers.sendDelta(row.sessionId, delta);
  }
}

/** Resolves when the promise does, or its time is over. */
async function within(promise: Promise<void>, deadlineMs: number): Promise<void> {
  try {
    await withinDeadline(promise, deadlineMs);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
  }
}
