/**
 * A routine's object as its runs, their proxies, the pool and the platform ask it. Runs go on in a deleted routine until
 * the last one has stopped.
 */
import { DurableObject } from "cloudflare:workers";
import { unchangedDefault } from "#instance/d1/environments.ts";
import type { KnownBudgets, SandboxSettings, SpendingReport } from "#instance/object-contracts.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { answerClose, closeQuietly, refuseUpgrade } from "#instance/sockets.ts";
import { UNKNOWN_SIZE } from "#protocol/call-size.ts";
import type { ConnectorUse } from "#protocol/connector.ts";
import type { ContainerSize } from "#protocol/container-size.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { DeedPlan, DeedState, DoneDeed } from "#protocol/github-deed.ts";
import type { HostUse } from "#protocol/host-use.ts";
import type { OwnedId } from "#protocol/ids.ts";
import { gatherLines } from "#protocol/log.ts";
import type { CallTokens } from "#protocol/model-usage.ts";
import { isSettled, type Tokens } from "#protocol/run.ts";
import { WAITER_CLOSE } from "#protocol/run-waiter.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import type { LeaseEnd } from "#rules/run/inputs.ts";
import { workspaceKey } from "./conversations/r2-keys.ts";
import type { Part } from "./conversations/stored-conversation.ts";
import { hasTables } from "./database.ts";
import { RoutineOpening } from "./opening.ts";
import type { GithubRun } from "./runs/github-deeds.ts";
import type { AnsweringCall } from "./runs/model-calls.ts";
import type { GitRepository, GrantedConnector } from "./runs/proxied-calls.ts";
import { artifactKey } from "./sessions/artifacts.ts";
import type { ProxyNotice } from "./sessions/proxy-notices.ts";
import type { Push, PushKey } from "./sessions/session-branches.ts";
import { acceptViewer } from "./viewers/accept-viewer.ts";

/** What the log of a local instance tells of occurrences and runs is behind by this much at most. */
const LINES_WAIT_MS = 50;

export abstract class ObjectForRuns extends DurableObject<ObjectEnv> {
  protected readonly opening: RoutineOpening;

  constructor(context: DurableObjectState, env: ObjectEnv) {
    super(context, env);
    if (env.LOCAL_INSTANCE === "1") gatherLines(LINES_WAIT_MS);
    this.opening = new RoutineOpening(context, env);
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    if (hasTables(context.storage)) void context.blockConcurrencyWhile(async () => void (await this.opening.open()));
  }

  modelFor(id: OwnedId, lease: LeaseRef, asked: string): Result<AnsweringCall> {
    return this.opening.proxied(id, ({ modelCalls }) => modelCalls.modelFor(lease, asked));
  }

  /** @param size absent from a worker of an earlier version. */
  async beginModelCall(
    id: OwnedId,
    lease: LeaseRef,
    asked: string,
    size = UNKNOWN_SIZE,
  ): Promise<Result<AnsweringCall>> {
    this.opening.owner(id)?.frames.flush();
    return this.opening.proxied(id, ({ modelCalls }) => modelCalls.begin({ lease, asked, size }));
  }

  /** Budgets that routines share have changed. @returns what the routine has spent. */
  takeBudgets(id: OwnedId, known: KnownBudgets): Result<SpendingReport> {
    return this.opening.with(id, ({ work, budgets, shared }) => {
      work.change((tx) => budgets.take(tx, known));
      const report = shared.report(Date.now());
      if (report === null) return refuse("not_found");
      const { routineId: _own, ...told } = report;
      return success(told);
    });
  }

  beginSignature(id: OwnedId, lease: LeaseRef): Result<null> {
    this.opening.owner(id)?.frames.flush();
    return this.opening.proxy(id, (tx, { proxies }) => proxies.beginSignature(tx, lease));
  }

  tellRun(id: OwnedId, lease: LeaseRef, notice: ProxyNotice): Result<null> {
    this.opening.owner(id)?.frames.flush();
    return this.opening.proxy(id, (tx, { proxies }) => proxies.tell(tx, lease, notice));
  }

  noteModelUsage(id: OwnedId, lease: LeaseRef, call: number, tokens: Tokens): Result<null> {
    return this.opening.proxy(id, (tx, { modelCalls }) => modelCalls.note(tx, lease, call, tokens));
  }

  /** @param isPart whether the call was cut off before it was known what it used in all. */
  endModelCall(id: OwnedId, lease: LeaseRef, call: number, tokens: CallTokens, isPart = false): Result<null> {
    return this.opening.proxy(id, (tx, { modelCalls }) => modelCalls.end(tx, lease, { call, tokens, isPart }));
  }

  noteHosts(id: OwnedId, lease: LeaseRef, rows: HostUse[]): Result<null> {
    return this.opening.proxy(id, (tx, { proxies }) => proxies.noteHosts(tx, lease, rows));
  }

  gitRepository(id: OwnedId, lease: LeaseRef, number: number, branches: string[]): Result<GitRepository> {
    return this.opening.proxied(id, ({ proxies }) => proxies.gitRepository(lease, number, branches));
  }

  connectorFor(id: OwnedId, lease: LeaseRef, name: string): Result<GrantedConnector> {
    return this.opening.proxied(id, ({ proxies }) => proxies.connectorFor(lease, name));
  }

  noteConnectorCalls(id: OwnedId, lease: LeaseRef, use: ConnectorUse): Result<null> {
    return this.opening.proxy(id, (tx, { proxies }) => proxies.noteConnectorCalls(tx, lease, use));
  }

  recordPushes(id: OwnedId, lease: LeaseRef, number: number, pushes: Push[], of: PushKey): Result<null> {
    this.opening.owner(id)?.frames.flush();
    return this.opening.proxy(id, (tx, { proxies }) => proxies.recordPushes(tx, lease, number, pushes, of));
  }

  /** Where at GitHub a run may work, and as whom. */
  githubRun(id: OwnedId, lease: LeaseRef): Result<GithubRun> {
    this.opening.owner(id)?.frames.flush();
    return this.opening.proxied(id, ({ deeds }) => deeds.runOf(lease));
  }

  /** A run is about to do something at GitHub. */
  beginDeed(id: OwnedId, lease: LeaseRef, plan: DeedPlan): Result<DeedState> {
    this.opening.owner(id)?.frames.flush();
    return this.opening.proxy(id, (tx, { deeds }) => deeds.begin(tx, lease, plan));
  }

  /** What has become of it; null where GitHub has refused it, or it is not known. */
  endDeed(id: OwnedId, lease: LeaseRef, deed: string, done: DoneDeed | null): Result<null> {
    this.opening.owner(id)?.frames.flush();
    return this.opening.proxy(id, (tx, { deeds }) => deeds.end(tx, lease, deed, done));
  }

  /** The pool tells that nobody works on a lease any more. */
  leaseEnded(id: OwnedId, lease: LeaseRef, end: LeaseEnd): void {
    this.opening.require();
    this.opening.owner(id)?.frames.endLease(lease, end);
  }

  hasSaidHello(id: OwnedId, lease: LeaseRef): boolean {
    this.opening.require();
    return this.opening.owner(id)?.engine.runnerOf(lease) != null;
  }

  /** What the sandbox of a lease is made with. */
  sandboxFor(id: OwnedId, lease: LeaseRef): SandboxSettings | null {
    this.opening.require();
    const engine = this.opening.owner(id)?.engine;
    if (engine === undefined || engine.leased(lease) === null) return null;
    const kept = engine.environmentOf(lease) ?? unchangedDefault();
    return { network: kept.network, size: kept.instance };
  }

  /** Where results of a lease's setup script are kept, as `environment/pool`; null once its agent has started. */
  setupPlace(id: OwnedId, lease: LeaseRef): string | null {
    this.opening.require();
    this.opening.owner(id)?.frames.flush();
    return this.opening.owner(id)?.proxies.setupPlace(lease) ?? null;
  }

  /**
   * Parts of what a lease's agent goes on from, by its file's place in the order; null once the agent has started, and where there
   * is no such file. What lies in R2 is told by its key.
   */
  conversationParts(id: OwnedId, lease: LeaseRef, number: number, after: number): Part[] | null {
    const row = this.opening.owner(id)?.engine.leased(lease);
    if (row?.status !== "starting") return null;
    return this.opening.owner(id)?.conversations.read(row.sessionId, number, after) ?? null;
  }

  /** Where the workspace lies that a lease goes on in; null once its agent has started, and where there is none. */
  workspaceToRestore(id: OwnedId, lease: LeaseRef): string | null {
    const row = this.opening.owner(id)?.engine.leased(lease);
    return row?.status === "starting"
      ? (this.opening.owner(id)?.conversations.workspaceKey(row.sessionId) ?? null)
      : null;
  }

  /** Where the workspace of a lease is kept; null for one that has ended. */
  workspaceToKeep(id: OwnedId, lease: LeaseRef): string | null {
    const row = this.opening.owner(id)?.engine.leased(lease) ?? null;
    return row === null ? null : workspaceKey(row.doc.routine_id, row.sessionId, lease);
  }

  /**
   * Whether what a runner has sent for this place in R2 is anybody's: its attempt is on, or a row names it. Asked when it is
   * there, as all may have been deleted while it came.
   */
  hasUseFor(id: OwnedId, lease: LeaseRef, key: string): boolean {
    this.opening.require();
    const parts = this.opening.owner(id);
    const row = parts?.runs.get(lease.run_id) ?? null;
    if (parts === null || row === null) return false;
    const { engine, conversations, artifacts } = parts;
    const { doc, sessionId } = row;
    if (engine.leased(lease) !== null || conversations.keys(sessionId).has(key)) return true;
    return [...artifacts.ids(sessionId)].some((one) => artifactKey(doc.routine_id, sessionId, one) === key);
  }

  /** The object of a lease's container tells what that has used, also after the run has ended. */
  noteContainer(id: OwnedId, lease: LeaseRef, use: { size: ContainerSize; seconds: number }): void {
    this.opening.require();
    this.opening.proxy(id, (tx, { proxies }) => proxies.noteContainer(tx, lease, use));
  }

  /** Upgrades that the worker passes on: `/live` of viewers, `/wait` of calls, `/link` of runners. */
  override async fetch(request: Request): Promise<Response> {
    const response = await this.#upgrade(new URL(request.url));
    this.opening.arm();
    return response;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.opening.fault !== null) closeQuietly(socket, CLOSE_CODES.restarting, "the object can't be opened");
    const { links, viewers } = this.opening.parts ?? {};
    const text = typeof message === "string" ? message : "";
    const isViewers = viewers?.receive(socket, text, Date.now()) === true;
    if (!isViewers) links?.receive(socket, text);
    // Acknowledgements of hundreds of viewers bring nothing to look after, as a rule; what they say arms by itself.
    if (!isViewers || viewers?.takeSooner()) this.opening.arm();
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    answerClose(socket, code, reason);
    this.opening.parts?.links.closed(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.opening.parts?.links.closed(socket);
  }

  override async alarm(): Promise<void> {
    await this.opening.ring();
  }

  /** A call that waits for the end of a run: the worker has checked who asks. */
  #await(url: URL): Response {
    const runId = url.searchParams.get("run") ?? "";
    const owner = this.opening.living(runId);
    const run = owner?.runs.get(runId)?.doc;
    if (owner === null || run === undefined) return refuseUpgrade(WAITER_CLOSE.noSuchRun, "no such run");
    const untilMs = Number(url.searchParams.get("until"));
    return owner.waiters.accept({ runId, untilMs }, isSettled(run), Date.now());
  }

  #upgrade(url: URL): Response | Promise<Response> {
    const { fault, parts } = this.opening;
    if (fault !== null) return refuseUpgrade(CLOSE_CODES.restarting, "the object can't be opened");
    if (url.pathname === "/wait") return this.#await(url);
    if (url.pathname !== "/link") return acceptViewer(url, (sessionId) => this.opening.living(sessionId));
    return parts?.links.accept(url) ?? refuseUpgrade(CLOSE_CODES.notAllowed, "no such attempt");
  }
}
