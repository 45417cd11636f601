/** The life of an open routine's object: sockets, the alarm, and the calls it owes. */

import type { Config, ObjectEnv } from "#instance/config.ts";
import { poolObject, rosterObject } from "#instance/objects.ts";
import type { RunnerRef } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { Delta } from "#protocol/transcript.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import type { LeaseEnd } from "#rules/run/inputs.ts";
import { runOrder } from "#rules/run/run-order.ts";
import { Alarm, type Concern } from "../alarm.ts";
import type { RoutineParts } from "./assemble.ts";
import { projectionOf } from "./definition/change-definition.ts";
import { purge } from "./definition/purge.ts";
import { Deliver } from "./outbox/deliver.ts";
import { tellRunEnded } from "./outbox/to-routines.ts";
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
    this.owed = new Deliver({
      ...parts,
      index: env.DB,
      pool: () => poolObject(env, config.jurisdiction, "default"),
      roster: () => rosterObject(env),
      announce: (run) => {
        const { name } = parts.definitions.row()?.definition ?? run.routine;
        return tellRunEnded(env, config.jurisdiction, run, name);
      },
      project: (row) => projectionOf(parts, row, Date.now()),
      onFreed: (lease) => this.endLease(lease, "offer_expired"),
      onDrained: () => {
        this.#purgeIfOver();
        this.alarm.arm();
      },
    });
    this.alarm = new Alarm(context.storage, this.#concerns(), alarmAt);
    parts.work.followedBy(() => {
      this.owed.drainFresh();
      this.alarm.arm();
    });
    this.alarm.arm();
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
    const { deadlines, engine } = this.parts;
    return [
      {
        name: "deadlines",
        next: () => deadlines.earliest(),
        look: (momentMs) =>
          deadlines.look(momentMs, (tx, { kind, ref }) => void engine.feed(tx, ref, { type: "overdue", kind })),
      },
      { name: "owed_calls", next: () => this.owed.next(), look: () => void this.owed.drain() },
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
