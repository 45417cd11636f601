/** The host of runners that register themselves over a WebSocket, as the local runner does. */
import { and, eq, isNotNull, isNull, lte } from "drizzle-orm";
import {
  type LeaseRef,
  type PoolToRunner,
  RUNNER_CLOSE,
  RUNNER_GRACE_MS,
  RUNNER_PROTOCOLS_SERVED,
  type RunnerToPool,
  runnerToPoolSchema,
} from "#protocol/runner-link.ts";
import type { PoolDatabase } from "./pool-database.ts";
import { runners } from "./pool-schema.ts";
import type { Grant, HostReports, RunnerHost } from "./runner-host.ts";
import { closeQuietly, parseJson, sendQuietly } from "./sockets.ts";

/** What a runner's socket carries across an eviction. */
interface Attachment {
  runnerId: string;
  /** When it registered, in Unix milliseconds. */
  atMs: number;
}

type Registration = Extract<RunnerToPool, { type: "register" }>;

export class RegisteredRunners implements RunnerHost {
  readonly #context: DurableObjectState;
  readonly #database: PoolDatabase;
  readonly #reports: HostReports;

  constructor(context: DurableObjectState, database: PoolDatabase, reports: HostReports) {
    this.#context = context;
    this.#database = database;
    this.#reports = reports;
  }

  accept(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#context.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** A message on a runner's socket; the first one registers it. */
  receive(socket: WebSocket, text: string): void {
    const parsed = runnerToPoolSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      closeQuietly(socket, RUNNER_CLOSE.badMessage, "not a message of this protocol");
      return;
    }
    const message = parsed.data;
    const runnerId = runnerOf(socket);
    if (message.type === "register") this.#register(socket, message);
    else if (runnerId === null) closeQuietly(socket, RUNNER_CLOSE.badMessage, "register comes first");
    else this.#reports[message.type === "accept" ? "accepted" : "ended"](runnerId, message.lease);
  }

  /** A runner's socket has closed: it has a while to come back. */
  miss(socket: WebSocket, nowMs: number): void {
    const runnerId = runnerOf(socket);
    if (runnerId === null || this.#socketOf(runnerId, socket) !== null) return;
    this.#database
      .update(runners)
      .set({ lostAt: nowMs + RUNNER_GRACE_MS })
      .where(and(eq(runners.id, runnerId), isNull(runners.lostAt)))
      .run();
  }

  /** Gives up runners that have not come back, and closes sockets on which nobody pings any more. */
  check(nowMs: number): void {
    for (const socket of this.#context.getWebSockets()) {
      if (this.#silentMs(socket, nowMs) > RUNNER_GRACE_MS) this.forget(socket);
    }
    const gone = this.#database.select().from(runners).where(lte(runners.lostAt, nowMs)).all();
    for (const { id } of gone) this.#lose(id);
  }

  /** Ends a socket and all that its runner had in hand. */
  forget(socket: WebSocket): void {
    const runnerId = runnerOf(socket);
    closeQuietly(socket, RUNNER_CLOSE.replaced, "no sign of life");
    if (runnerId !== null && this.#socketOf(runnerId, socket) === null) this.#lose(runnerId);
  }

  /** Ends a runner that does not do what it is told. */
  forgetRunner(runnerId: string): void {
    const socket = this.#socketOf(runnerId, null);
    if (socket === null) this.#lose(runnerId);
    else this.forget(socket);
  }

  /** When `check` has something to do next because a runner is missing, in Unix milliseconds. */
  nextCheck(): number | null {
    const missing = this.#database.select().from(runners).where(isNotNull(runners.lostAt)).all();
    return missing.length === 0 ? null : Math.min(...missing.map(({ lostAt }) => lostAt ?? Number.POSITIVE_INFINITY));
  }

  runnerCount(): number {
    return this.#database.select().from(runners).where(isNull(runners.lostAt)).all().length;
  }

  freeRunner(leaseCounts: ReadonlyMap<string, number>): string | null {
    const present = this.#database.select().from(runners).where(isNull(runners.lostAt)).all();
    const roomy = present
      .map(({ id, capacity }) => ({ id, room: capacity - (leaseCounts.get(id) ?? 0) }))
      .filter(({ id, room }) => room > 0 && this.#isHeardOf(id))
      .sort((left, right) => right.room - left.room);
    return roomy[0]?.id ?? null;
  }

  offer(runnerId: string, grant: Grant): boolean {
    return this.#send(runnerId, { type: "offer", ...grant });
  }

  stop(runnerId: string, lease: LeaseRef): boolean {
    return this.#send(runnerId, { type: "stop", lease });
  }

  #register(socket: WebSocket, { protocol, runner, boot, capacity, leases }: Registration): void {
    if (!RUNNER_PROTOCOLS_SERVED.includes(protocol)) {
      closeQuietly(socket, RUNNER_CLOSE.protocol, `protocols served: ${RUNNER_PROTOCOLS_SERVED.join(", ")}`);
      return;
    }
    const before = this.#database.select().from(runners).where(eq(runners.id, runner.id)).get();
    const replaced = this.#socketOf(runner.id, socket);
    if (replaced !== null) closeQuietly(replaced, RUNNER_CLOSE.replaced, "another connection has taken over");
    // Another process under the same name: what the one before had in hand has died with it.
    if (before !== undefined && before.boot !== boot) this.#reports.lost(runner.id);
    this.#database
      .insert(runners)
      .values({ id: runner.id, kind: runner.kind, boot, capacity, lostAt: null })
      .onConflictDoUpdate({ target: runners.id, set: { boot, capacity, lostAt: null } })
      .run();
    socket.serializeAttachment({ runnerId: runner.id, atMs: Date.now() } satisfies Attachment);
    sendQuietly(socket, JSON.stringify({ type: "registered", protocol } satisfies PoolToRunner));
    this.#reports.present(runner.id, leases);
  }

  /** After a restart of the instance no socket is left: each runner has a while to come back. */
  missThoseWithoutSocket(nowMs: number): void {
    for (const { id } of this.#database.select().from(runners).where(isNull(runners.lostAt)).all()) {
      if (this.#socketOf(id, null) !== null) continue;
      this.#database
        .update(runners)
        .set({ lostAt: nowMs + RUNNER_GRACE_MS })
        .where(eq(runners.id, id))
        .run();
    }
  }

  #lose(runnerId: string): void {
    this.#database.delete(runners).where(eq(runners.id, runnerId)).run();
    this.#reports.lost(runnerId);
  }

  /** Whether the runner has a socket on which it was heard of lately. */
  #isHeardOf(runnerId: string): boolean {
    const socket = this.#socketOf(runnerId, null);
    return socket !== null && this.#silentMs(socket, Date.now()) <= RUNNER_GRACE_MS;
  }

  /** For how long nothing has come on a runner's socket: no ping since its registration. */
  #silentMs(socket: WebSocket, nowMs: number): number {
    const registration = registrationOf(socket);
    if (registration === null) return 0;
    return nowMs - (this.#context.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? registration.atMs);
  }

  #send(runnerId: string, message: PoolToRunner): boolean {
    const socket = this.#socketOf(runnerId, null);
    if (socket === null) return false;
    sendQuietly(socket, JSON.stringify(message));
    return true;
  }

  #socketOf(runnerId: string, except: WebSocket | null): WebSocket | null {
    const open = this.#context
      .getWebSockets()
      .filter((socket) => socket !== except && socket.readyState === WebSocket.OPEN && runnerOf(socket) === runnerId);
    return open.at(-1) ?? null;
  }
}

function registrationOf(socket: WebSocket): Attachment | null {
  const attachment: Attachment | null = socket.deserializeAttachment();
  return attachment;
}

function runnerOf(socket: WebSocket): string | null {
  return registrationOf(socket)?.runnerId ?? null;
}
