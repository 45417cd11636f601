/** One routine: its definition, admission, runs, transcripts, viewers, and the links of its runners. A thin shell. */
import { DurableObject } from "cloudflare:workers";
import type { Page, PageRequest } from "#protocol/api.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Revision, Routine, RoutineInput, RoutinePatch } from "#protocol/routine.ts";
import { isSettled, type Run, type Session, type Usage } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import type { Admission, Occurrence, TriggerEvent } from "#protocol/trigger-event.ts";
import { admit } from "./admission.ts";
import { type RoutineRow, routineView } from "./definition-store.ts";
import { type Config, type ObjectEnv, requireConfig } from "./environment.ts";
import { hasTables, openDatabase } from "./routine-database.ts";
import { RoutineLife } from "./routine-life.ts";
import { type RoutineParts, routineParts } from "./routine-parts.ts";
import type { LeaseEnd } from "./run-happenings.ts";
import type { Push } from "./run-proxies.ts";
import { hashSecret, makeSecret } from "./secrets.ts";
import { readEvents } from "./transcript-page.ts";
import { acceptLink, acceptViewer } from "./upgrades.ts";

interface Open {
  routine: RoutineRow;
  life: RoutineLife;
  parts: RoutineParts;
}

export class RoutineObject extends DurableObject<ObjectEnv> {
  readonly #config: Config;
  #life: RoutineLife | null = null;

  constructor(context: DurableObjectState, env: ObjectEnv) {
    super(context, env);
    this.#config = requireConfig(env);
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    if (hasTables(context.storage)) void context.blockConcurrencyWhile(() => this.#openLife());
  }

  /** Creates the routine in this object. @param id carries this object's owner key. @param actor who, for revisions. */
  async create(id: string, input: RoutineInput, actor: string): Promise<Result<Routine>> {
    const life = await this.#openLife();
    const { definitions, outbox } = life.parts;
    if (definitions.row() !== null) return refuse("revision_conflict", { message: "This id is taken." });
    const row = life.change((nowMs) => {
      outbox.owe("project_routine", id, nowMs);
      return definitions.create(id, input, actor, nowMs);
    });
    if (await this.#isIndexed(life, id)) return success(routineView(row));
    // Not accepted, so it must not turn up later, even if the index has taken it and only its answer was lost.
    life.change((nowMs) => {
      definitions.update(row, { status: "deleted" }, nowMs);
      outbox.owe("forget_routine", id, nowMs);
    });
    return refuse("index_behind");
  }

  read(): Result<Routine> {
    return this.#with(({ routine }) => success(routineView(routine)));
  }

  async change(patch: RoutinePatch, actor: string): Promise<Result<Routine>> {
    return this.#changeRoutine((open, nowMs) => {
      const { if_revision } = patch;
      if (if_revision !== undefined && if_revision !== open.routine.revision) {
        return refuse("revision_conflict", { field: "if_revision" });
      }
      const row = open.parts.definitions.change(open.routine, patch, actor, nowMs);
      open.parts.engine.promote(nowMs);
      return success(row);
    });
  }

  async pause(reason: string | null): Promise<Result<Routine>> {
    return this.#changeRoutine(({ parts, routine }, nowMs) =>
      success(parts.definitions.update(routine, { status: "paused", pausedReason: reason }, nowMs)),
    );
  }

  async resume(): Promise<Result<Routine>> {
    return this.#changeRoutine(({ parts, routine }, nowMs) =>
      success(parts.definitions.update(routine, { status: "active", pausedReason: null }, nowMs)),
    );
  }

  /** Revokes the token, takes the routine out of every list, cancels its runs, and leaves a tombstone. */
  async remove(): Promise<Result<null>> {
    const open = this.#open();
    if (open === null) return refuse("not_found");
    const { life, parts, routine } = open;
    life.change((nowMs) => {
      parts.definitions.update(routine, { status: "deleted", tokenHash: null }, nowMs);
      parts.outbox.owe("forget_routine", routine.id, nowMs);
      for (const runId of parts.runs.unsettled()) {
        parts.engine.happen(runId, { type: "cancel_requested", reason: "routine_deleted" }, nowMs);
      }
    });
    life.closeViewers("the routine has been deleted");
    await life.settled();
    return parts.outbox.has("forget_routine", routine.id) ? refuse("index_behind") : success(null);
  }

  revisions(page: PageRequest): Result<Page<Revision>> {
    return this.#with(({ parts }) => success(parts.definitions.list(page)));
  }

  /** A new token for the fire endpoint; the one before is revoked. */
  async issueToken(): Promise<Result<{ token: string }>> {
    const token = makeSecret("rvf_");
    const tokenHash = await hashSecret(token);
    const changed = await this.#changeRoutine(({ parts, routine }, nowMs) =>
      success(parts.definitions.update(routine, { tokenHash }, nowMs)),
    );
    return changed.ok ? success({ token }) : changed;
  }

  async revokeToken(): Promise<Result<null>> {
    const changed = await this.#changeRoutine(({ parts, routine }, nowMs) =>
      success(parts.definitions.update(routine, { tokenHash: null }, nowMs)),
    );
    return changed.ok ? success(null) : changed;
  }

  /** The API trigger. @param token as it was presented. */
  async fire(event: TriggerEvent, token: string): Promise<Result<Admission>> {
    const presentedHash = await hashSecret(token);
    return this.#with((open) => {
      const allowed = open.parts.door.admitFire(open.routine, presentedHash, Date.now());
      return allowed.ok ? this.#admit(open, event) : allowed;
    });
  }

  /** Whether a token is this routine's, for a fire that goes no further. */
  async checkToken(token: string): Promise<Result<null>> {
    const presentedHash = await hashSecret(token);
    return this.#with(({ parts, routine }) => parts.door.checkToken(routine, presentedHash));
  }

  /** Run now: also while the routine is paused. */
  runNow(event: TriggerEvent): Result<Admission> {
    return this.#with((open) => this.#admit(open, event));
  }

  occurrences(page: PageRequest): Result<Page<Occurrence>> {
    return this.#with(({ parts }) => success(parts.occurrences.list(page)));
  }

  runs(page: PageRequest): Result<Page<Run>> {
    return this.#with(({ parts }) => success(parts.runs.list(page)));
  }

  sessions(page: PageRequest): Result<Page<Session>> {
    return this.#with(({ parts, routine }) => success(parts.runs.listSessions(page, routine.id)));
  }

  readRun(id: string): Result<Run> {
    return this.#with(({ parts }) => {
      const row = parts.runs.get(id);
      return row === null ? refuse("not_found") : success(parts.engine.seen(row));
    });
  }

  /** Asks for a run to be stopped; asking again changes nothing. */
  cancelRun(id: string): Result<Run> {
    return this.#with(({ parts, life }) => {
      const row = parts.runs.get(id);
      if (row === null) return refuse("not_found");
      if (isSettled(row.doc)) return refuse("run_settled");
      life.change((nowMs) => parts.engine.happen(id, { type: "cancel_requested", reason: "by_user" }, nowMs));
      return this.readRun(id);
    });
  }

  readSession(id: string): Result<Session> {
    return this.#with(({ parts, routine }) => found(parts.runs.session(id, routine.id)));
  }

  /** A page of a transcript, oldest first; `next_cursor` is null at the present end. */
  events(id: string, after: number, limit: number): Result<Page<TranscriptEvent>> {
    return this.#with(({ parts }) => found(readEvents(parts.log, id, after, limit)));
  }

  /** A ticket for one viewer's upgrade. @param access whose revocation closes the socket; null when nothing can. */
  async issueTicket(id: string, access: string | null): Promise<Result<{ ticket: string }>> {
    const open = this.#open();
    if (open === null || open.parts.log.end(id) === null) return refuse("not_found");
    return success({ ticket: await open.parts.door.issueTicket(id, access, Date.now()) });
  }

  /** Closes the sockets that were opened with an access that has been revoked. */
  async revokeAccess(access: string): Promise<void> {
    this.#life?.parts.door.revokeTickets(access);
    this.#life?.viewers.closeAccess(access);
  }

  checkAttempt(lease: LeaseRef, model: string): Result<null> {
    return this.#proxy(({ proxies }) => proxies.check(lease, model));
  }

  beginModelCall(lease: LeaseRef, model: string): Result<null> {
    return this.#proxy(({ proxies }) => proxies.beginModelCall(lease, model));
  }

  endModelCall(lease: LeaseRef, usage: Omit<Usage, "cost_usd">): Result<null> {
    return this.#proxy(({ proxies }, nowMs) => proxies.endModelCall(lease, usage, nowMs));
  }

  gitRepository(lease: LeaseRef, number: number): Result<{ url: string }> {
    return this.#proxy(({ proxies }) => proxies.gitRepository(lease, number));
  }

  recordPushes(lease: LeaseRef, number: number, pushes: Push[]): Result<null> {
    // Frames that came before the push come before it in the transcript.
    this.#life?.flush();
    return this.#proxy(({ proxies }, nowMs) => proxies.recordPushes(lease, number, pushes, nowMs));
  }

  /** The pool's word that nobody works on a lease any more. */
  leaseEnded(lease: LeaseRef, end: LeaseEnd): void {
    this.#life?.endLease(lease, end);
  }

  /** Upgrades that the worker passes on: `/live` of viewers, `/link` of runners. */
  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/link") return acceptLink(this.#life, url);
    return acceptViewer(() => this.#open()?.life ?? null, url);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#life?.receive(socket, typeof message === "string" ? message : "");
  }

  override alarm(): void {
    this.#life?.wake();
  }

  async #openLife(): Promise<RoutineLife> {
    if (this.#life !== null) return this.#life;
    const database = await openDatabase(this.ctx.storage);
    const ownerKey = this.ctx.id.name ?? "";
    const parts = routineParts(database, this.ctx.storage.sql, this.#config, ownerKey);
    const alarmAt = await this.ctx.storage.getAlarm();
    this.#life ??= new RoutineLife(this.ctx, this.env, this.#config, parts, alarmAt);
    return this.#life;
  }

  #open(): Open | null {
    const routine = this.#life?.parts.definitions.row() ?? null;
    if (this.#life === null || routine === null || routine.status === "deleted") return null;
    return { routine, life: this.#life, parts: this.#life.parts };
  }

  #with<Value>(work: (open: Open) => Result<Value>): Result<Value> {
    const open = this.#open();
    return open === null ? refuse("not_found") : work(open);
  }

  /** For what goes on until the last run has stopped, also in a deleted routine. */
  #proxy<Value>(work: (parts: RoutineParts, nowMs: number) => Result<Value>): Result<Value> {
    const life = this.#life;
    if (life === null) return refuse("proxy_token_refused");
    return life.change((nowMs) => work(life.parts, nowMs));
  }

  #admit({ routine, life, parts }: Open, event: TriggerEvent): Result<Admission> {
    const { model, defaultModel } = this.#config;
    const { occurrences, runs, engine, ids, door } = parts;
    const admitted = life.change((nowMs) =>
      admit({ routine, model, defaultModel, occurrences, runs, engine, ids, nowMs }, event),
    );
    if (!admitted.ok && admitted.refusal.code === "queue_full") door.countQueueFull();
    return admitted;
  }

  /** Changes the routine's own row, and answers when D1 has it. */
  async #changeRoutine(work: (open: Open, nowMs: number) => Result<RoutineRow>): Promise<Result<Routine>> {
    const open = this.#open();
    if (open === null) return refuse("not_found");
    const { life, parts, routine } = open;
    const changed = life.change((nowMs) => {
      const result = work(open, nowMs);
      if (result.ok) parts.outbox.owe("project_routine", routine.id, nowMs);
      return result;
    });
    if (!changed.ok) return changed;
    return (await this.#isIndexed(life, routine.id)) ? success(routineView(changed.value)) : refuse("index_behind");
  }

  async #isIndexed(life: RoutineLife, routineId: string): Promise<boolean> {
    await life.settled();
    return !life.parts.outbox.has("project_routine", routineId);
  }
}

function found<Value>(value: Value | null | undefined): Result<Value> {
  return value === null || value === undefined ? refuse("not_found") : success(value);
}
