/** One routine: its definition, admission, runs, transcripts, viewers, and the links of its runners. A thin shell. */
import { DurableObject } from "cloudflare:workers";
import type { Page, PageRequest } from "#protocol/api.ts";
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { IncomingEvent } from "#protocol/incoming-event.ts";
import type { Revision, Routine, RoutineInput, RoutinePatch } from "#protocol/routine.ts";
import { isSettled, type Run, type Session, type Usage } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import type { Admission, Occurrence, TriggerEvent } from "#protocol/trigger-event.ts";
import { changeDefinition, definitionFault, viewOf } from "./definition-changes.ts";
import type { RoutineRow } from "./definition-store.ts";
import { type ObjectEnv, requireConfig } from "./environment.ts";
import { endSecrets, offerEvent, readEndpoint, rotateSecret } from "./listening.ts";
import type { DueAnswer, EndpointAnswer, SecretAnswer } from "./peers.ts";
import { changeRow, createRoutine, removeRoutine } from "./routine-birth.ts";
import { hasTables } from "./routine-database.ts";
import { type Open, RoutineOpening } from "./routine-opening.ts";
import type { RoutineParts } from "./routine-parts.ts";
import type { LeaseEnd } from "./run-happenings.ts";
import type { GitRepository, Push } from "./run-proxies.ts";
import { hashSecret, makeSecret } from "./secrets.ts";
import { answerClose } from "./sockets.ts";
import { readEvents } from "./transcript-page.ts";
import { acceptUpgrade } from "./upgrades.ts";

export class RoutineObject extends DurableObject<ObjectEnv> {
  readonly #opening: RoutineOpening;

  constructor(context: DurableObjectState, env: ObjectEnv) {
    super(context, env);
    this.#opening = new RoutineOpening(context, env, requireConfig(env));
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    if (hasTables(context.storage)) void context.blockConcurrencyWhile(async () => void (await this.#opening.open()));
  }

  /** Creates the routine in this object. @param id carries this object's owner key. @param actor who, for revisions. */
  async create(id: string, input: RoutineInput, actor: string): Promise<Result<Routine>> {
    const fault = definitionFault(input, Date.now());
    if (fault !== null) return fault;
    const life = await this.#opening.open();
    return life.ok ? createRoutine(life.value, { id, input, actor }) : life;
  }

  read(): Result<Routine> {
    return this.#with(({ parts, routine }) => success(viewOf(parts, routine, Date.now())));
  }

  async change(patch: RoutinePatch, actor: string): Promise<Result<Routine>> {
    return this.#changeRoutine(({ parts, routine }, nowMs) =>
      changeDefinition(parts, { routine, patch, actor }, nowMs),
    );
  }

  async pause(reason: string | null): Promise<Result<Routine>> {
    return this.#update({ status: "paused", pausedReason: reason });
  }

  /** What came due while it was paused is not made up for. */
  async resume(): Promise<Result<Routine>> {
    return this.#changeRoutine(({ parts, routine }, nowMs) => {
      parts.clock.conclude(routine, routine.definition.triggers, nowMs);
      return success(parts.definitions.update(routine, { status: "active", pausedReason: null }, nowMs));
    });
  }

  /** Revokes the token, takes the routine out of every list, cancels its runs, and leaves a tombstone. */
  async remove(): Promise<Result<null>> {
    const open = this.#opening.routine();
    return open.ok ? removeRoutine(open.value.life, open.value.routine) : open;
  }

  revisions(page: PageRequest): Result<Page<Revision>> {
    return this.#with(({ parts }) => success(parts.definitions.list(page)));
  }

  /** A new token for the fire endpoint; the one before is revoked. */
  async issueToken(): Promise<Result<{ token: string }>> {
    const token = makeSecret("rvf_");
    const changed = await this.#update({ tokenHash: await hashSecret(token) });
    return changed.ok ? success({ token }) : changed;
  }

  async revokeToken(): Promise<Result<Routine>> {
    return this.#update({ tokenHash: null });
  }

  /** The API trigger. @param token as it was presented. */
  async fire(event: TriggerEvent, token: string): Promise<Result<Admission>> {
    const presentedHash = await hashSecret(token);
    return this.#with((open) => {
      const allowed = open.parts.door.admitFire(open.routine, presentedHash, Date.now());
      return allowed.ok ? this.#fire(open, event) : allowed;
    });
  }

  /** Whether a token is this routine's, for a fire that goes no further. */
  async checkToken(token: string): Promise<Result<null>> {
    const presentedHash = await hashSecret(token);
    return this.#with(({ parts, routine }) => parts.door.checkToken(routine, presentedHash));
  }

  /** Run now: also while the routine is paused. */
  runNow(event: TriggerEvent): Result<Admission> {
    return this.#with((open) => this.#fire(open, event));
  }

  /** Events that the routine's triggers may wait for. Offered twice, each is answered twice and taken in once. */
  offer(events: readonly IncomingEvent[]): Result<DeliveryOutcome[][]> {
    return this.#with(({ parts, life }) => success(events.map((event) => offerEvent(life, parts, event))));
  }

  /** What the triggers would make of an event: nothing follows. */
  judge(event: IncomingEvent): Result<DeliveryOutcome[]> {
    return this.#with(({ parts, routine }) => success(parts.firing.judge(routine, event)));
  }

  /** Claims what has come due. @returns when to look again. */
  strike(): Result<DueAnswer> {
    return this.#with(({ life, routine }) => success(life.time.strike(routine)));
  }

  /** A webhook trigger with the secrets that are in force, for the worker alone. */
  async endpoint(triggerId: string): Promise<Result<EndpointAnswer>> {
    const open = this.#opening.routine();
    return open.ok ? readEndpoint(open.value.parts, open.value.routine, triggerId) : open;
  }

  /** Puts a secret in force, one that is drawn where none is given. A source can do so only where there is none yet. */
  async setSecret(triggerId: string, given: string | null, from: "owner" | "source"): Promise<Result<SecretAnswer>> {
    const open = this.#opening.routine();
    return open.ok ? rotateSecret(open.value.life, { triggerId, given, from }) : open;
  }

  /** Ends an endpoint's secrets at once: it believes nobody until it has a new one. */
  async clearSecrets(triggerId: string): Promise<Result<Routine>> {
    return this.#changeRoutine(({ parts, routine }, nowMs) => endSecrets(parts, routine, triggerId, nowMs));
  }

  /** The secret that the source has handed over: once. */
  async takeHandedOver(triggerId: string): Promise<Result<{ secret: string }>> {
    const open = this.#opening.routine();
    if (!open.ok) return open;
    const secret = await open.value.parts.endpoints.takeUnseen(triggerId);
    return secret === null ? refuse("not_found") : success({ secret });
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
    const open = this.#opening.routine();
    if (!open.ok) return open;
    const { log, door } = open.value.parts;
    if (log.end(id) === null) return refuse("not_found");
    return success({ ticket: await door.issueTicket(id, access, Date.now()) });
  }

  /** Closes the sockets that were opened with an access that has been revoked. */
  async revokeAccess(access: string): Promise<void> {
    this.#opening.life?.parts.door.revokeTickets(access);
    this.#opening.life?.viewers.closeAccess(access);
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

  gitRepository(lease: LeaseRef, number: number): Result<GitRepository> {
    return this.#proxy(({ proxies }) => proxies.gitRepository(lease, number));
  }

  recordPushes(lease: LeaseRef, number: number, pushes: Push[]): Result<null> {
    // Frames that came before the push come before it in the transcript.
    this.#opening.life?.flush();
    return this.#proxy(({ proxies }, nowMs) => proxies.recordPushes(lease, number, pushes, nowMs));
  }

  /** The pool's word that nobody works on a lease any more. */
  leaseEnded(lease: LeaseRef, end: LeaseEnd): void {
    if (this.#opening.fault !== null) throw new Error(this.#opening.fault.refusal.message);
    this.#opening.life?.endLease(lease, end);
  }

  /** Upgrades that the worker passes on: `/live` of viewers, `/link` of runners. */
  override fetch(request: Request): Response | Promise<Response> {
    return acceptUpgrade(new URL(request.url), this.#opening);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#opening.life?.receive(socket, typeof message === "string" ? message : "");
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    answerClose(socket, code, reason);
  }

  override async alarm(): Promise<void> {
    if (this.#opening.fault !== null) await this.#opening.open();
    this.#opening.life?.wake();
  }

  #with<Value>(work: (open: Open) => Result<Value>): Result<Value> {
    const open = this.#opening.routine();
    return open.ok ? work(open.value) : open;
  }

  /** For what goes on until the last run has stopped, also in a deleted routine. */
  #proxy<Value>(work: (parts: RoutineParts, nowMs: number) => Result<Value>): Result<Value> {
    const life = this.#opening.life;
    if (life === null) return this.#opening.fault ?? refuse("proxy_token_refused");
    return life.change((nowMs) => work(life.parts, nowMs));
  }

  #fire({ routine, life, parts }: Open, event: TriggerEvent): Result<Admission> {
    return life.change((nowMs) => parts.firing.fire(routine, event, nowMs));
  }

  /** Changes what is no part of a revision. */
  #update(change: Partial<RoutineRow>): Promise<Result<Routine>> {
    return this.#changeRoutine(({ parts, routine }, nowMs) =>
      success(parts.definitions.update(routine, change, nowMs)),
    );
  }

  /** Changes the routine's own row, and answers when D1 has it. */
  async #changeRoutine(work: (open: Open, nowMs: number) => Result<RoutineRow>): Promise<Result<Routine>> {
    const open = this.#opening.routine();
    if (!open.ok) return open;
    return changeRow(open.value.life, open.value.routine, (nowMs) => work(open.value, nowMs));
  }
}

function found<Value>(value: Value | null | undefined): Result<Value> {
  return value === null || value === undefined ? refuse("not_found") : success(value);
}
