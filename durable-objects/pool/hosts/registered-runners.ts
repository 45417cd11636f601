/** The host of runners that register themselves over a WebSocket, as the local runner does. */

import { closeQuietly, sendQuietly } from "#instance/sockets.ts";
import {
  type LeaseRef,
  type PoolToRunner,
  RUNNER_CLOSE,
  RUNNER_GRACE_MS,
  RUNNER_PING_MS,
  RUNNER_PROTOCOLS_SERVED,
  type RunnerToPool,
  runnerToPoolSchema,
} from "#protocol/runner-link.ts";
import { parseJson } from "#rules/json.ts";
import type { PoolDatabase } from "../database.ts";
import { attachmentOf, KnownRunners, type Runner } from "./known-runners.ts";
import type { Grant, HostReports, LeaseHost } from "./lease-host.ts";

type Registration = Extract<RunnerToPool, { type: "register" }>;

/** A runner that does not answer a probe within this time is not there. Less than a refused one waits between two tries. */
export const PROBE_DEADLINE_MS = 1_500;
/** One of version 1 can't be probed: it is there while it pings. */
const PING_SLACK_MS = 2_000;
/** A runner that has declined for want of room gets no offer for so long, unless it says that some work has ended. */
const FULL_MS = 5_000;

const TAKEN = "another runner is connected under this id; give each one a REVEILLE_RUNNER_ID of its own";

export class RegisteredRunners implements LeaseHost {
  readonly #context: DurableObjectState;
  readonly #reports: HostReports;
  readonly #known: KnownRunners;

  constructor(context: DurableObjectState, database: PoolDatabase, reports: HostReports) {
    this.#context = context;
    this.#reports = reports;
    this.#known = new KnownRunners(context, database);
  }

  accept(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#context.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
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
      // A socket that has been replaced may still say something.
      if (attachmentOf(socket) === null) closeQuietly(socket, RUNNER_CLOSE.badMessage, "register comes first");
      return;
    }
    runner.heardMs = nowMs;
    runner.probedMs = null;
    this.#hear(runner, message, nowMs);
  }

  /** A runner's socket has closed: it has a while to come back. */
  miss(socket: WebSocket, nowMs: number): void {
    const runner = this.#known.on(socket);
    if (runner !== null) this.#known.miss(runner, nowMs);
  }

  /** Gives up runners that have not come back, and closes sockets on which nobody pings any more. */
  check(nowMs: number): void {
    for (const runner of [...this.#known.all().values()]) {
      const isSilent = runner.socket !== null && nowMs - this.#known.heardOf(runner) > RUNNER_GRACE_MS;
      if (isSilent || (runner.lostAt !== null && runner.lostAt <= nowMs)) this.#lose(runner);
    }
  }

  /** Ends a runner that does not do what it is told, and all that it had in hand. */
  forgetRunner(runnerId: string): void {
    const runner = this.#known.all().get(runnerId);
    if (runner !== undefined) this.#lose(runner);
  }

  /** When something has to be done because of a runner, in Unix milliseconds; `check` and another match do it. */
  nextCheck(): number | null {
    const nowMs = Date.now();
    let next: number | null = null;
    for (const { lostAt, fullUntilMs } of this.#known.all().values()) {
      const atMs = lostAt ?? (fullUntilMs > nowMs ? fullUntilMs : null);
      if (atMs !== null) next = Math.min(next ?? atMs, atMs);
    }
    return next;
  }

  runnerCount(): number {
    let count = 0;
    for (const { lostAt, attachment } of this.#known.all().values()) {
      if (lostAt === null && attachment?.isDraining !== true) count += 1;
    }
    return count;
  }

  freeRunner(leaseCounts: ReadonlyMap<string, number>): string | null {
    const nowMs = Date.now();
    const silent = new Set<Runner>();
    for (;;) {
      const best = this.#roomiest(leaseCounts, silent, nowMs);
      if (best === null || nowMs - this.#known.heardOf(best) <= RUNNER_GRACE_MS) return best?.id ?? null;
      silent.add(best);
    }
  }

  offer(runnerId: string, grant: Grant): boolean {
    return this.#send(runnerId, { type: "offer", ...grant });
  }

  stop(runnerId: string, lease: LeaseRef): boolean {
    return this.#send(runnerId, { type: "stop", lease });
  }

  kill(runnerId: string, lease: LeaseRef): boolean {
    if (!this.#canBeProbed(this.#known.all().get(runnerId))) return this.stop(runnerId, lease);
    return this.#send(runnerId, { type: "kill", lease }) && this.#send(runnerId, { type: "probe" });
  }

  isConnected(runnerId: string): boolean {
    return this.#known.all().get(runnerId)?.socket != null;
  }

  /** Whether a runner has said anything since, or pinged. */
  isHeardSince(runnerId: string, sinceMs: number): boolean {
    const runner = this.#known.all().get(runnerId);
    return runner !== undefined && this.#known.heardOf(runner) > sinceMs;
  }

  /** After a restart of the instance no socket is left: each runner has a while to come back. */
  missThoseWithoutSocket(nowMs: number): void {
    for (const runner of this.#known.all().values()) {
      if (runner.socket === null && runner.lostAt === null) this.#known.miss(runner, nowMs);
    }
  }

  #hear(runner: Runner, message: Exclude<RunnerToPool, Registration>, nowMs: number): void {
    switch (message.type) {
      case "accept":
        this.#reports.accepted(runner.id, message.lease);
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
    { protocol, runner: { id, kind }, boot, capacity, leases }: Registration,
    nowMs: number,
  ): void {
    if (!RUNNER_PROTOCOLS_SERVED.includes(protocol)) {
      closeQuietly(socket, RUNNER_CLOSE.protocol, `protocols served: ${RUNNER_PROTOCOLS_SERVED.join(", ")}`);
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
    this.#known.register({ id, kind, boot, capacity }, socket, protocol, nowMs);
    sendQuietly(socket, JSON.stringify({ type: "registered", protocol } satisfies PoolToRunner));
    this.#reports.present(id, leases);
  }

  /** Whether a runner answers on its socket. Until its probe's time is over it counts as there. */
  #isThere(runner: Runner, nowMs: number): boolean {
    if (runner.socket === null) return false;
    const heardMs = this.#known.heardOf(runner);
    if (!this.#canBeProbed(runner)) return nowMs - heardMs <= RUNNER_PING_MS + PING_SLACK_MS;
    const isUnanswered = runner.probedMs !== null && heardMs <= runner.probedMs;
    if (isUnanswered) return nowMs - (runner.probedMs ?? nowMs) < PROBE_DEADLINE_MS;
    runner.probedMs = nowMs;
    this.#send(runner.id, { type: "probe" });
    return true;
  }

  #canBeProbed(runner: Runner | undefined): boolean {
    return (runner?.attachment?.protocol ?? 1) >= 2;
  }

  #lose(runner: Runner): void {
    if (runner.socket !== null) closeQuietly(runner.socket, RUNNER_CLOSE.replaced, "no sign of life");
    this.#known.remove(runner);
    this.#reports.lost(runner.id);
  }

  #roomiest(leaseCounts: ReadonlyMap<string, number>, silent: ReadonlySet<Runner>, nowMs: number): Runner | null {
    let best: Runner | null = null;
    let most = 0;
    for (const runner of this.#known.all().values()) {
      const room = runner.capacity - (leaseCounts.get(runner.id) ?? 0);
      const isOpen = runner.lostAt === null && runner.fullUntilMs <= nowMs && runner.attachment?.isDraining !== true;
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
