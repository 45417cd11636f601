/** The runners of a pool, in memory as they are stored: their rows, and the sockets on which they are connected. */
import { eq } from "drizzle-orm";
import { RUNNER_GRACE_MS } from "#protocol/runner-link.ts";
import type { PoolDatabase } from "../database.ts";
import { runners } from "../schema.ts";

/** What the socket of a runner that has registered carries across an eviction. */
export interface RunnerAttachment {
  runnerId: string;
  /** When it registered, in Unix milliseconds. */
  atMs: number;
  /** The version that it speaks; absent on sockets that a worker without version 2 has taken in. */
  protocol?: number;
  /** Of the token by which it was let in; absent for the instance's own RUNNER_TOKEN. */
  tokenId?: string;
  /** Options of the link that are in force; absent on sockets that an earlier version has taken in. */
  features?: string[];
  isDraining?: boolean;
}

/** A runner as it is kept in memory: of its row and its socket, so that neither is read for each message. */
export interface Runner {
  id: string;
  boot: string;
  capacity: number;
  version: string | null;
  /** Until when it may come back before its leases end; null while its socket is open. */
  lostAt: number | null;
  socket: WebSocket | null;
  attachment: RunnerAttachment | null;
  /** When its last message came, pings aside. */
  heardMs: number;
  /** Until then it does not count as silent, whether it says something or not. */
  quietUntilMs: number;
  /** Since when it has been asked whether its silence is true; null when it is not in doubt. */
  doubtedMs: number | null;
  /** When it was last asked whether it is there; null when it has said something since. */
  probedMs: number | null;
  /** When it was first told to kill something; null when it has given a sign since. */
  killedMs: number | null;
  /** The runner has said that it has no room, and gets no offer before this moment. */
  fullUntilMs: number;
}

/** What is not known yet of a runner whose row has just been read or written. */
const NOTHING_HEARD = {
  socket: null,
  attachment: null,
  heardMs: 0,
  quietUntilMs: 0,
  doubtedMs: null,
  probedMs: null,
  killedMs: null,
  fullUntilMs: 0,
};

type NewRunner = Pick<typeof runners.$inferSelect, "id" | "kind" | "boot" | "capacity" | "version">;
type NewAttachment = Pick<RunnerAttachment, "protocol" | "tokenId" | "features">;

export class KnownRunners {
  readonly #context: DurableObjectState;
  readonly #database: PoolDatabase;
  /** null until they have been read. */
  #known: Map<string, Runner> | null = null;

  constructor(context: DurableObjectState, database: PoolDatabase) {
    this.#context = context;
    this.#database = database;
  }

  all(): ReadonlyMap<string, Runner> {
    return this.#all();
  }

  /** The runner whose present socket this is. */
  on(socket: WebSocket): Runner | null {
    const runner = this.#all().get(attachmentOf(socket)?.runnerId ?? "");
    return runner?.socket === socket ? runner : null;
  }

  /** A runner has come, or has come back, on this socket. */
  register({ id, kind, ...told }: NewRunner, socket: WebSocket, attachment: NewAttachment, nowMs: number): void {
    const row = { ...told, lostAt: null };
    this.#database
      .insert(runners)
      .values({ id, kind, ...row })
      .onConflictDoUpdate({ target: runners.id, set: row })
      .run();
    const runner = { ...NOTHING_HEARD, id, ...row, socket, heardMs: nowMs };
    this.#all().set(id, runner);
    attach(runner, { runnerId: id, atMs: nowMs, ...attachment });
  }

  /** The runner takes no more work: it gets no offer as long as this socket is open. */
  drain(runner: Runner): void {
    if (runner.attachment !== null) attach(runner, { ...runner.attachment, isDraining: true });
  }

  /** Its socket has closed: it has a while to come back. */
  miss(runner: Runner, nowMs: number): void {
    runner.socket = null;
    runner.lostAt ??= nowMs + RUNNER_GRACE_MS;
    this.#database.update(runners).set({ lostAt: runner.lostAt }).where(eq(runners.id, runner.id)).run();
  }

  remove(runner: Runner): void {
    this.#database.delete(runners).where(eq(runners.id, runner.id)).run();
    this.#all().delete(runner.id);
  }

  /** The runner has sent a message. */
  hear(runner: Runner, nowMs: number): void {
    runner.heardMs = nowMs;
    runner.quietUntilMs = nowMs + RUNNER_GRACE_MS;
    runner.doubtedMs = null;
    runner.probedMs = null;
    runner.killedMs = null;
  }

  /** Until when a runner does not count as silent. Its pings are asked for only when nothing else says that it is there. */
  quietUntil(runner: Runner, nowMs: number): number {
    if (runner.quietUntilMs < nowMs) runner.quietUntilMs = this.heardOf(runner) + RUNNER_GRACE_MS;
    return runner.quietUntilMs;
  }

  /** When a runner was last heard of: a message, a ping, or its registration. */
  heardOf({ socket, attachment, heardMs }: Runner): number {
    const pingedMs = socket === null ? 0 : (this.#context.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0);
    return Math.max(pingedMs, attachment?.atMs ?? 0, heardMs);
  }

  #all(): Map<string, Runner> {
    this.#known ??= this.#read();
    return this.#known;
  }

  #read(): Map<string, Runner> {
    const rows = this.#database.select().from(runners).all();
    const known = new Map<string, Runner>(rows.map((row) => [row.id, { ...row, ...NOTHING_HEARD }]));
    for (const socket of this.#context.getWebSockets()) {
      const attachment = socket.readyState === WebSocket.OPEN ? attachmentOf(socket) : null;
      const runner = known.get(attachment?.runnerId ?? "");
      // Of two sockets of one runner, the older one is being closed.
      if (runner !== undefined && (runner.attachment?.atMs ?? 0) <= (attachment?.atMs ?? 0)) {
        Object.assign(runner, { socket, attachment });
      }
    }
    return known;
  }
}

function attach(runner: Runner, attachment: RunnerAttachment): void {
  runner.attachment = attachment;
  runner.socket?.serializeAttachment(attachment);
}

/** Whether it is connected, and takes more work once it has room. */
export function isTaking({ socket, attachment }: Runner): boolean {
  return socket !== null && attachment?.isDraining !== true;
}

/** Whether these options of the link are in force with it. */
export function knowsAll({ attachment }: Runner, needs: readonly string[]): boolean {
  return needs.every((name) => attachment?.features?.includes(name));
}

/** @returns null for a socket on which no runner has registered. */
export function attachmentOf(socket: WebSocket): RunnerAttachment | null {
  const attachment: Partial<RunnerAttachment> | null = socket.deserializeAttachment();
  return attachment?.runnerId === undefined ? null : (attachment as RunnerAttachment);
}
