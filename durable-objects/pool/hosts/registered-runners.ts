/** The host of runners that register themselves over a WebSocket, as the local runner does. */

import type { SocketDeadlines } from "#instance/socket-deadlines.ts";
import { closeQuietly, sendQuietly } from "#instance/sockets.ts";
import type { PoolRunner } from "#protocol/pool.ts";
import { RUNNER_FEATURES } from "#protocol/runner-features.ts";
import {
  type LeaseRef,
  type PoolToRunner,
  RUNNER_CLOSE,
  RUNNER_PING_MS,
  type RunnerToPool,
  runnerToPoolSchema,
} from "#protocol/runner-link.ts";
import { parseJson } from "#rules/json.ts";
import { featuresInForce } from "#rules/pool/features-in-force.ts";
import { runnerFault } from "#rules/pool/runner-fault.ts";
import type { PoolDatabase } from "../database.ts";
import { GoneRunners } from "./gone-runners.ts";
import { attachmentOf, isTaking, KnownRunners, knowsAll, type Runner } from "./known-runners.ts";
import { type Grant, type Held, type HostReports, KILL_DEADLINE_MS, type SocketHost } from "./lease-host.ts";
import { canBeProbed, DOUBT_MS, isInDoubt } from "./runner-doubt.ts";
import { lastSeenMs, runnerStatuses } from "./runner-status.ts";
import { noteNewcomer, tokenIdOf, unregisteredSockets } from "./unregistered-sockets.ts";

type Registration = Extract<RunnerToPool, { type: "register" }>;

/**
 * A runner that does not answer a probe within this time is not there. It is shorter than the time that a refused runner
 * waits between two tries.
 */
export const PROBE_DEADLINE_MS = 1_500;
/** A runner of version 1 can't be probed: it counts as there while it pings, with this much delay allowed. */
const PING_SLACK_MS = 2_000;
/** A runner that has declined for want of room gets no offer for so long, unless it says that some work has ended. */
const FULL_MS = 5_000;

const UNREGISTERED = "no runner has registered on this connection in time";
const REVOKED = "the token of this pool has been revoked";
const TAKEN = "another runner is connected under this id; give each one a REVEILLE_RUNNER_ID of its own";

export class RegisteredRunners implements SocketHost {
  readonly kind = "local";
  readonly beginsOnce = false;
  readonly #context: DurableObjectState;
  readonly #reports: HostReports;
  readonly #known: KnownRunners;
  readonly #gone: GoneRunners;
  readonly #unregistered: SocketDeadlines;

  constructor(context: DurableObjectState, database: PoolDatabase, reports: HostReports) {
    this.#context = context;
    this.#reports = reports;
    this.#known = new KnownRunners(context, database);
    this.#gone = new GoneRunners(database);
    this.#unregistered = unregisteredSockets(context);
  }

  accept(tokenId: string | null, nowMs: number): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#context.acceptWebSocket(server);
    this.#unregistered.set(server, noteNewcomer(server, tokenId, nowMs));
    return new Response(null, { status: 101, webSocket: client });
  }

  keepOnly(tokenIds: readonly string[], nowMs: number): void {
    for (const socket of this.#context.getWebSockets()) {
      const tokenId = tokenIdOf(socket);
      if (tokenId === null || tokenIds.includes(tokenId)) continue;
      this.closed(socket, nowMs);
      closeQuietly(socket, RUNNER_CLOSE.refused, REVOKED);
    }
  }

  runners(held: Held, nowMs: number): PoolRunner[] {
    return runnerStatuses(this.#known, this.#gone, held, nowMs);
  }

  /** A message on a runner's socket; the first one registers it. */
  receive(socket: WebSocket, text: string, nowMs: number): void {
    const parsed = runnerToPoolSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      closeQuietly(socket, RUNNER_CLOSE.badMessage, "not a message of this protocol");
      return;
    }
    const message = parsed.data;
    if (message.type === "register") {
      this.#register(socket, message, nowMs);
      return;
    }
    const runner = this.#known.on(socket);
    if (runner === null) {
      // Messages may still come on a socket that has been replaced.
      if (attachmentOf(socket) === null) closeQuietly(socket, RUNNER_CLOSE.badMessage, "register comes first");
      return;
    }
    this.#known.hear(runner, nowMs);
    this.#hear(runner, message, nowMs);
  }

  /** A runner's socket has closed: it has a while to come back. */
  closed(socket: WebSocket, nowMs: number): void {
    this.#unregistered.clear(socket);
    const runner = this.#known.on(socket);
    if (runner !== null) this.#known.miss(runner, nowMs);
  }

  next(nowMs: number, held: Held): number | null {
    let next = this.#unregistered.next();
    for (const runner of this.#known.all().values()) next = earlier(next, this.#nextOf(runner, nowMs, held));
    return next;
  }

  /**
   * Gives up runners that have not come back, that nobody has heard of for a while, or that have answered no kill; closes
   * sockets on which nobody has registered.
   */
  look(nowMs: number): void {
    for (const socket of this.#unregistered.takeLate(nowMs)) closeQuietly(socket, RUNNER_CLOSE.late, UNREGISTERED);
    for (const runner of [...this.#known.all().values()]) {
      if (wasCutOff(runner)) this.#known.miss(runner, nowMs);
      if (this.#isLost(runner, nowMs)) this.#lose(runner);
    }
  }

  size(): number {
    let count = 0;
    for (const runner of this.#known.all().values()) if (isTaking(runner)) count += 1;
    return count;
  }

  knows(needs: readonly string[]): boolean {
    return [...this.#known.all().values()].some((runner) => isTaking(runner) && knowsAll(runner, needs));
  }

  place(held: Held, nowMs: number, needs: readonly string[] = []): string | null {
    const silent = new Set<Runner>();
    for (;;) {
      const best = this.#roomiest(held, silent, needs, nowMs);
      if (best === null || this.#known.quietUntil(best, nowMs) >= nowMs) return best?.id ?? null;
      silent.add(best);
    }
  }

  async offer(runnerId: string, grant: Grant): Promise<"sent" | "gone"> {
    if (this.#send(runnerId, { type: "offer", ...grant })) return "sent";
    const runner = this.#known.all().get(runnerId);
    // The runner's socket is closing, and the object has not been told yet.
    if (runner?.socket != null) this.#known.miss(runner, Date.now());
    return "gone";
  }

  stop(runnerId: string, lease: LeaseRef): void {
    this.#send(runnerId, { type: "stop", lease });
  }

  /** A runner of version 1 does not know `kill`: it is told to stop once more. */
  kill(runnerId: string, lease: LeaseRef, nowMs: number): void {
    const runner = this.#known.all().get(runnerId);
    if (runner === undefined) return;
    runner.killedMs ??= nowMs;
    const isProbed = canBeProbed(runner);
    this.#send(runnerId, { type: isProbed ? "kill" : "stop", lease });
    if (isProbed) this.#send(runnerId, { type: "probe" });
  }

  #hear(runner: Runner, message: Exclude<RunnerToPool, Registration>, nowMs: number): void {
    switch (message.type) {
      case "accept":
        if (!this.#reports.accepted(runner.id, message.lease)) this.stop(runner.id, message.lease);
        break;
      case "ended":
        runner.fullUntilMs = 0;
        this.#reports.ended(runner.id, message.lease);
        break;
      case "decline":
        if (message.why === "full") runner.fullUntilMs = nowMs + FULL_MS;
        else this.#known.drain(runner);
        this.#reports.declined(runner.id, message.lease);
        break;
      case "draining":
        this.#known.drain(runner);
        break;
      case "alive":
        break;
    }
  }

  #register(
    socket: WebSocket,
    { protocol, version, runner: { id, kind }, boot, capacity, features, leases }: Registration,
    nowMs: number,
  ): void {
    const told = { version: version ?? null, capacity };
    const fault = runnerFault({ protocol, version });
    if (fault !== null) {
      closeQuietly(socket, RUNNER_CLOSE.protocol, fault);
      this.#gone.note({ id, ...told, state: "refused", reason: fault, at: nowMs });
      return;
    }
    const onSocket = this.#known.on(socket);
    if (onSocket !== null && onSocket.id !== id) {
      closeQuietly(socket, RUNNER_CLOSE.badMessage, "another runner has registered on this connection");
      return;
    }
    const before = this.#known.all().get(id);
    const isAnother = before !== undefined && before.boot !== boot;
    if (isAnother && before.socket !== socket && this.#isThere(before, nowMs)) {
      closeQuietly(socket, RUNNER_CLOSE.taken, TAKEN);
      return;
    }
    if (before !== undefined && before.socket !== null && before.socket !== socket) {
      closeQuietly(before.socket, RUNNER_CLOSE.replaced, "another connection has taken over");
    }
    // Another process under the same name: what the one before had in hand has died with it.
    if (isAnother) this.#reports.lost(id);
    this.#unregistered.clear(socket);
    const tokenId = tokenIdOf(socket);
    const inForce = featuresInForce(features, RUNNER_FEATURES);
    const attachment = { protocol, features: inForce, ...(tokenId === null ? {} : { tokenId }) };
    this.#known.register({ id, kind, boot, ...told }, socket, attachment, nowMs);
    this.#send(id, { type: "registered", protocol, features: inForce });
    for (const lease of this.#reports.present(id, leases)) this.stop(id, lease);
  }

  #isLost(runner: Runner, nowMs: number): boolean {
    const { socket, lostAt, killedMs } = runner;
    if (lostAt !== null && lostAt <= nowMs) return true;
    if (socket === null) return false;
    if (this.#known.quietUntil(runner, nowMs) < nowMs)
      return !isInDoubt(runner, nowMs, () => this.#send(runner.id, { type: "probe" }));
    runner.doubtedMs = null;
    if (killedMs === null || killedMs + KILL_DEADLINE_MS > nowMs) return false;
    runner.killedMs = null;
    return this.#known.heardOf(runner) <= killedMs;
  }

  /** When `look` has to be called because of this runner. */
  #nextOf(runner: Runner, nowMs: number, held: Held): number | null {
    const { id, lostAt, killedMs, doubtedMs, fullUntilMs } = runner;
    if (lostAt !== null) return lostAt;
    if (wasCutOff(runner)) return nowMs;
    if (doubtedMs !== null) return doubtedMs + DOUBT_MS;
    const answeredBy = killedMs === null ? null : killedMs + KILL_DEADLINE_MS;
    const roomAt = fullUntilMs > nowMs ? fullUntilMs : null;
    const silentAt = held.has(id) ? this.#known.quietUntil(runner, nowMs) + 1 : null;
    return earlier(earlier(answeredBy, roomAt), silentAt);
  }

  /** Whether a runner answers on its socket. It counts as there until the deadline of its probe has passed. */
  #isThere(runner: Runner, nowMs: number): boolean {
    if (runner.socket === null) return false;
    const heardMs = this.#known.heardOf(runner);
    if (!canBeProbed(runner)) return nowMs - heardMs <= RUNNER_PING_MS + PING_SLACK_MS;
    const isUnanswered = runner.probedMs !== null && heardMs <= runner.probedMs;
    if (isUnanswered) return nowMs - (runner.probedMs ?? nowMs) < PROBE_DEADLINE_MS;
    runner.probedMs = nowMs;
    this.#send(runner.id, { type: "probe" });
    return true;
  }

  #lose(runner: Runner): void {
    if (runner.socket !== null) closeQuietly(runner.socket, RUNNER_CLOSE.replaced, "no sign of life");
    const { id, version, capacity } = runner;
    const at = lastSeenMs(runner, this.#known);
    this.#known.remove(runner);
    this.#gone.note({ id, version, capacity, state: "lost", reason: null, at });
    this.#reports.lost(runner.id);
  }

  #roomiest(held: Held, silent: ReadonlySet<Runner>, needs: readonly string[], nowMs: number): Runner | null {
    let best: Runner | null = null;
    let most = 0;
    for (const runner of this.#known.all().values()) {
      const room = runner.capacity - (held.get(runner.id) ?? 0);
      const isOpen = isTaking(runner) && runner.fullUntilMs <= nowMs && knowsAll(runner, needs);
      if (room <= most || !isOpen || silent.has(runner)) continue;
      best = runner;
      most = room;
    }
    return best;
  }

  #send(runnerId: string, message: PoolToRunner): boolean {
    const socket = this.#known.all().get(runnerId)?.socket ?? null;
    if (socket?.readyState !== WebSocket.OPEN) return false;
    sendQuietly(socket, JSON.stringify(message));
    return true;
  }
}

/** After a restart of the instance no socket is left: each runner has a while to come back. */
function wasCutOff({ socket, lostAt }: Runner): boolean {
  return socket === null && lostAt === null;
}

function earlier(left: number | null, right: number | null): number | null {
  if (left === null || right === null) return left ?? right;
  return Math.min(left, right);
}
