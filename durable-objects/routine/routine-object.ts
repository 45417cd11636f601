/** One routine, asked in the name of an id, which `RoutineOpening` compares with what the routine owns. A thin shell. */
import { DurableObject } from "cloudflare:workers";
import type { ObjectEnv } from "#instance/config.ts";
import type { DueAnswer, EndpointAnswer, HandedOver, SecretAnswer } from "#instance/object-contracts.ts";
import { hashSecret, makeSecret } from "#instance/secrets.ts";
import { answerClose, closeQuietly } from "#instance/sockets.ts";
import type { Actor } from "#protocol/actor.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { OwnedId } from "#protocol/ids.ts";
import type { Admission, Occurrence, Wake } from "#protocol/occurrence.ts";
import type { Revision, Routine, RoutineInput, RoutinePatch } from "#protocol/routine.ts";
import { isSettled, type ListedRun, type Run, type Session, type Tokens } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import type { LeaseEnd } from "#rules/run/inputs.ts";
import { hasTables } from "./database.ts";
import { changeDefinition, definitionFault, viewOf } from "./definition/change-definition.ts";
import { changeAndTell, createRoutine, removeRoutine } from "./definition/create-and-remove.ts";
import type { Bringer } from "./definition/endpoint-secrets.ts";
import {
  confirmSecret,
  endSecrets,
  handOver,
  learnRepositories,
  offerEvent,
  readEndpoint,
  rotateSecret,
} from "./definition/endpoints.ts";
import { projectAgain } from "./definition/project-again.ts";
import type { RepositoryLesson } from "./definition/repository-ids.ts";
import { found, type Open, RoutineOpening } from "./opening.ts";
import type { AnsweringCall, GitRepository } from "./runs/proxied-calls.ts";
import type { ProxyNotice } from "./sessions/proxy-notices.ts";
import type { Push, PushKey } from "./sessions/session-branches.ts";
import { readEvents } from "./transcript/transcript-page.ts";
import { acceptUpgrade } from "./viewers/accept-viewer.ts";
import type { Access } from "./viewers/access.ts";

export class RoutineObject extends DurableObject<ObjectEnv> {
  readonly #opening: RoutineOpening;

  constructor(context: DurableObjectState, env: ObjectEnv) {
    super(context, env);
    this.#opening = new RoutineOpening(context, env);
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    if (hasTables(context.storage)) void context.blockConcurrencyWhile(async () => void (await this.#opening.open()));
  }

  /** Creates the routine in this object. @param id its own from then on. @param actor who, for revisions. */
  async create(id: OwnedId, input: RoutineInput, actor: Actor): Promise<Result<Routine>> {
    const fault = definitionFault(input, Date.now());
    if (fault !== null) return fault;
    const life = await this.#opening.open();
    return life.ok ? createRoutine(life.value, { id, input, actor }) : life;
  }

  read(id: OwnedId): Result<Routine> {
    return this.#opening.with(id, ({ parts, routine }) => success(viewOf(parts, routine, Date.now())));
  }

  async change(id: OwnedId, patch: RoutinePatch, actor: Actor): Promise<Result<Routine>> {
    return this.#opening.changeRoutine(id, (tx, { parts, routine }) =>
      changeDefinition(tx, parts, { routine, patch, actor }),
    );
  }

  /** What came due before still fires. */
  async pause(id: OwnedId, reason: string | null): Promise<Result<Routine>> {
    return this.#opening.changeStatus(id, { status: "paused", pausedReason: reason });
  }

  /** What came due while it was paused is not made up for. */
  async resume(id: OwnedId): Promise<Result<Routine>> {
    return this.#opening.changeStatus(id, { status: "active", pausedReason: null });
  }

  /** Revokes the token, takes the routine out of every list, cancels its runs, and leaves a tombstone. */
  async remove(id: OwnedId): Promise<Result<null>> {
    const open = this.#opening.routine(id);
    return open.ok ? removeRoutine(open.value.life, open.value.routine) : open;
  }

  projectAgain(id: OwnedId): Promise<Result<{ runs: number }>> {
    return projectAgain(this.#opening.routine(id));
  }

  revisions(id: OwnedId, page: PageRequest): Result<Page<Revision>> {
    return this.#opening.with(id, ({ parts }) => success(parts.definitions.list(page)));
  }

  /** A new token for the fire endpoint; the one before is revoked. */
  async issueToken(id: OwnedId): Promise<Result<{ token: string }>> {
    const token = makeSecret("rvf_");
    const tokenHash = await hashSecret(token);
    const open = this.#opening.routine(id);
    if (!open.ok) return open;
    const { life, parts } = open.value;
    return changeAndTell(life, (tx, routine) =>
      success({ row: parts.definitions.update(tx, routine, { tokenHash }), told: { token } }),
    );
  }

  async revokeToken(id: OwnedId): Promise<Result<Routine>> {
    return this.#opening.update(id, { tokenHash: null });
  }

  /** The API trigger. @param token as it was presented. @param isRepeat of a call that was made before, and counted. */
  async fire(id: OwnedId, event: Wake, token: string, isRepeat = false): Promise<Result<Admission>> {
    const hash = await hashSecret(token);
    return this.#opening.with(id, (open) => {
      const { door } = open.parts;
      const allowed = isRepeat ? door.checkToken(open.routine, hash) : door.admitFire(open.routine, hash, Date.now());
      return allowed.ok ? this.#fire(open, event, isRepeat) : allowed;
    });
  }

  /** Whether a token is this routine's, for a fire that goes no further. */
  async checkToken(id: OwnedId, token: string): Promise<Result<null>> {
    const presentedHash = await hashSecret(token);
    return this.#opening.with(id, ({ parts, routine }) => parts.door.checkToken(routine, presentedHash));
  }

  /** Run now: also while the routine is paused. */
  runNow(id: OwnedId, event: Wake, isRepeat = false): Result<Admission> {
    return this.#opening.with(id, (open) => this.#fire(open, event, isRepeat));
  }

  /** Events that the routine's triggers may wait for. Offered twice, each is answered twice and taken in once. */
  takeEvents(id: OwnedId, events: readonly SourceEvent[]): Result<DeliveryOutcome[][]> {
    return this.#opening.with(id, ({ parts, life }) => success(events.map((event) => offerEvent(life, parts, event))));
  }

  /** What GitHub has told of names that the routine's repositories have. Told twice, it changes nothing. */
  learnRepositories(id: OwnedId, lessons: readonly RepositoryLesson[]): Promise<Result<null>> {
    return learnRepositories(this.#opening.routine(id), lessons);
  }

  /** What the triggers would make of an event: nothing follows. */
  judge(id: OwnedId, event: SourceEvent): Result<DeliveryOutcome[]> {
    return this.#opening.with(id, ({ parts, routine }) => success(parts.firing.judge(routine, event)));
  }

  /** Claims what has come due, and sees to it that the object keeps time. @returns when to look again. */
  async lookAtSchedules(id: OwnedId): Promise<Result<DueAnswer>> {
    await this.#opening.keepTime();
    return this.#opening.with(id, ({ life, routine }) => success(life.fireDue(routine)));
  }

  /** A webhook trigger with the secrets that are in force, for the worker alone. */
  async endpoint(id: OwnedId, triggerId: string): Promise<Result<EndpointAnswer>> {
    const open = this.#opening.routine(id);
    return open.ok ? readEndpoint(open.value.parts, open.value.routine, triggerId) : open;
  }

  /** Puts a secret in force, one that is drawn where none is given. */
  async setSecret(id: OwnedId, triggerId: string, given: string | null): Promise<Result<SecretAnswer>> {
    const open = this.#opening.routine(id);
    return open.ok ? rotateSecret(open.value.life, { triggerId, given }) : open;
  }

  /** Ends an endpoint's secrets at once: it believes nobody until it has a new one. */
  async clearSecrets(id: OwnedId, triggerId: string): Promise<Result<Routine>> {
    return this.#opening.changeRoutine(id, (tx, { parts, routine }) => endSecrets(tx, parts, routine, triggerId));
  }

  /** Somebody has brought a secret to the endpoint: the owner is to see it, and it is in force for nobody. */
  async handOver(id: OwnedId, triggerId: string, secret: string, from: Bringer): Promise<Result<null>> {
    const open = this.#opening.routine(id);
    return open.ok ? handOver(open.value.life, { triggerId, secret, from }) : open;
  }

  async handedOver(id: OwnedId, triggerId: string): Promise<Result<HandedOver[]>> {
    const open = this.#opening.routine(id);
    return open.ok ? success(await open.value.parts.endpoints.handedOver(triggerId)) : open;
  }

  async confirmSecret(id: OwnedId, triggerId: string, handedId: string): Promise<Result<SecretAnswer>> {
    const open = this.#opening.routine(id);
    return open.ok ? confirmSecret(open.value.life, { triggerId, id: handedId }) : open;
  }

  occurrences(id: OwnedId, page: PageRequest): Result<Page<Occurrence>> {
    return this.#opening.with(id, ({ parts }) => success(parts.occurrences.list(page)));
  }

  runs(id: OwnedId, page: PageRequest): Result<Page<ListedRun>> {
    return this.#opening.with(id, ({ parts }) => success(parts.runs.list(page)));
  }

  /** Runs that are on, as lists show them: the index is not told of all that happens in them. */
  activeRuns(id: OwnedId): Result<ListedRun[]> {
    return this.#opening.with(id, ({ parts }) => success(parts.runs.active()));
  }

  sessions(id: OwnedId, page: PageRequest): Result<Page<Session>> {
    return this.#opening.with(id, ({ parts, routine }) => success(parts.runs.listSessions(page, routine.id)));
  }

  readRun(id: OwnedId): Result<Run> {
    return this.#opening.with(id, ({ parts }) => found(parts.engine.show(id)));
  }

  /** Asks for a run to be stopped; asking again changes nothing. */
  cancelRun(id: OwnedId): Result<Run> {
    return this.#opening.with(id, ({ parts }) => {
      const row = parts.runs.get(id);
      if (row === null) return refuse("not_found");
      if (isSettled(row.doc)) return refuse("run_settled");
      parts.work.change((tx) => void parts.engine.feed(tx, id, { type: "cancel_requested", reason: "by_user" }));
      return this.readRun(id);
    });
  }

  readSession(id: OwnedId): Result<Session> {
    return this.#opening.with(id, ({ parts, routine }) => found(parts.runs.session(id, routine.id)));
  }

  /** A page of a transcript, oldest first; `next_cursor` is null at the present end. */
  events(id: OwnedId, after: number, limit: number): Result<Page<TranscriptEvent>> {
    return this.#opening.with(id, ({ parts }) => found(readEvents(parts.log, id, after, limit)));
  }

  /** A ticket for one viewer's upgrade. @param access by what the asker was let in: its end closes the socket. */
  async issueTicket(id: OwnedId, access: Access): Promise<Result<{ ticket: string }>> {
    const open = this.#opening.routine(id);
    if (!open.ok) return open;
    if (open.value.parts.log.end(id) === null) return refuse("not_found");
    return success({ ticket: await open.value.parts.door.issueTicket(id, access) });
  }

  /** Closes what a web session that has ended opened here, and lets nothing of it in any more. @param session its hash. */
  async revokeAccess(id: OwnedId, session: string): Promise<void> {
    this.#opening.require();
    this.#opening.lifeOf(id)?.revoke(session);
  }

  modelFor(id: OwnedId, lease: LeaseRef, asked: string): Result<AnsweringCall> {
    return this.#opening.proxied(id, ({ proxies }) => proxies.modelFor(lease, asked));
  }

  beginModelCall(id: OwnedId, lease: LeaseRef, asked: string): Result<AnsweringCall> {
    return this.#opening.proxy(id, (tx, { proxies }) => proxies.beginModelCall(tx, lease, asked));
  }

  tellRun(id: OwnedId, lease: LeaseRef, notice: ProxyNotice): Result<null> {
    this.#opening.lifeOf(id)?.flush();
    return this.#opening.proxy(id, (tx, { proxies }) => proxies.tell(tx, lease, notice));
  }

  noteModelUsage(id: OwnedId, lease: LeaseRef, call: number, tokens: Tokens): Result<null> {
    return this.#opening.proxy(id, (tx, { proxies }) => proxies.noteModelUsage(tx, lease, call, tokens));
  }

  endModelCall(id: OwnedId, lease: LeaseRef, call: number, tokens: Tokens): Result<null> {
    return this.#opening.proxy(id, (tx, { proxies }) => proxies.endModelCall(tx, lease, call, tokens));
  }

  gitRepository(id: OwnedId, lease: LeaseRef, number: number, branches: string[]): Result<GitRepository> {
    return this.#opening.proxied(id, ({ proxies }) => proxies.gitRepository(lease, number, branches));
  }

  recordPushes(id: OwnedId, lease: LeaseRef, number: number, pushes: Push[], of: PushKey): Result<null> {
    this.#opening.lifeOf(id)?.flush();
    return this.#opening.proxy(id, (tx, { proxies }) => proxies.recordPushes(tx, lease, number, pushes, of));
  }

  /** The pool's word that nobody works on a lease any more. */
  leaseEnded(id: OwnedId, lease: LeaseRef, end: LeaseEnd): void {
    this.#opening.require();
    this.#opening.lifeOf(id)?.endLease(lease, end);
  }

  /** Upgrades that the worker passes on: `/live` of viewers, `/link` of runners. */
  override fetch(request: Request): Response | Promise<Response> {
    return acceptUpgrade(new URL(request.url), this.#opening);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.#opening.fault !== null) closeQuietly(socket, CLOSE_CODES.restarting, "the object can't be opened");
    this.#opening.life?.receive(socket, typeof message === "string" ? message : "");
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    answerClose(socket, code, reason);
  }

  override async alarm(): Promise<void> {
    await this.#opening.ring();
  }

  #fire({ routine, parts }: Open, event: Wake, isRepeat: boolean): Result<Admission> {
    return parts.work.change((tx) => parts.firing.fire(tx, routine, event, isRepeat));
  }
}
