/**
 * The object of one runner pool: its methods for RPC, by which leases are asked for and taken back, its runners' sockets,
 * and its alarm.
 */
import { DurableObject } from "cloudflare:workers";
import { readConfig } from "#instance/config.ts";
import type { ContainerReport, LeaseRequest, PoolAnswer, WarmReport } from "#instance/object-contracts.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { ownResidenceFault } from "#instance/residence.ts";
import { answerClose, refuseUpgrade } from "#instance/sockets.ts";
import type { Actor } from "#protocol/actor.ts";
import type { PoolStatus, WarmSetting } from "#protocol/pool.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import { Alarm, type Concern } from "../alarm.ts";
import { MIGRATE_RETRY_MS } from "../migrate.ts";
import { type AssembledPool, assemblePool } from "./assemble.ts";
import { migratePool } from "./database.ts";
import type { LeaseHost, SocketHost } from "./hosts/lease-host.ts";
import type { LeaseEngine } from "./lease-engine.ts";
import { poolAnswer, poolStatus, type ShownPool } from "./pool-status.ts";

export class PoolObject extends DurableObject<ObjectEnv> {
  readonly #hosts: readonly LeaseHost[];
  readonly #dialed: SocketHost;
  readonly #containers: AssembledPool["containers"];
  readonly #engine: LeaseEngine;
  readonly #leases: AssembledPool["leases"];
  readonly #ends: AssembledPool["ends"];
  readonly #alarm: Alarm;
  readonly #shown: ShownPool;
  /** Why the pool can't work: a wrong configuration, or tables that are not those of this version; null when it can. */
  #fault: string | null = null;

  constructor(context: DurableObjectState, env: ObjectEnv) {
    super(context, env);
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    const pool = assemblePool(context, env, () => this.#goOn());
    this.#hosts = pool.hosts;
    this.#dialed = pool.dialed;
    this.#containers = pool.containers;
    this.#engine = pool.engine;
    this.#leases = pool.leases;
    this.#ends = pool.ends;
    this.#alarm = new Alarm(context.id.name ?? "", context.storage, this.#concerns(), null);
    this.#shown = { name: context.id.name ?? "", ...pool };
    this.#open();
  }

  /** A runner's socket; the worker has checked its token, and names it by its id where it is not RUNNER_TOKEN. */
  override fetch(request: Request): Response {
    if (this.#fault !== null) return refuseUpgrade(CLOSE_CODES.restarting, "the pool can't be opened");
    const response = this.#dialed.accept(new URL(request.url).searchParams.get("token"), Date.now());
    this.#goOn();
    return response;
  }

  /** Asks for a runner for each lease. Asking twice for one is asking once. */
  request(requests: LeaseRequest[]): PoolAnswer {
    this.#requireTables();
    this.ctx.storage.transactionSync(() => this.#engine.ask(requests, Date.now()));
    this.#goOn();
    const asked = requests.map(({ lease }) => lease);
    return poolAnswer(this.#shown, asked, Date.now());
  }

  /** Takes leases back: at once where nobody works on one, else as soon as the work has stopped. @returns one answer each. */
  release(leases: LeaseRef[]): ("freed" | "stopping")[] {
    this.#requireTables();
    const answers = leases.map((lease) => this.#engine.release(lease, Date.now()));
    this.#goOn();
    return answers;
  }

  /** What the object of a container tells of it. @returns `unknown` when the container has to end. */
  hearContainer(report: ContainerReport): "held" | "unknown" {
    this.#requireTables();
    const answer = this.#containers?.hear(report, Date.now()) ?? "unknown";
    this.#goOn();
    return answer;
  }

  /** What the object of a container tells that waits for a lease. @returns `unknown` when it has to end. */
  hearWarm(report: WarmReport): "held" | "unknown" {
    this.#requireTables();
    const answer = this.#containers?.hearWarm(report, Date.now()) ?? "unknown";
    this.#goOn();
    return answer;
  }

  /** Sets how many containers are kept ready for runs to come. @param by who has set it; null where a worker of before does not say. */
  setWarm(setting: WarmSetting, by: Actor | null): void {
    this.#requireTables();
    this.#containers?.setWarm(setting, by, Date.now());
    this.#goOn();
  }

  /** Who serves, what waits, and why. */
  look(): PoolStatus {
    this.#requireTables();
    return poolStatus(this.#shown, Date.now());
  }

  /** Closes the sockets that were let in by other tokens of the pool than these, by the tokens' ids. */
  keepOnly(tokenIds: string[]): void {
    this.#requireTables();
    this.#dialed.keepOnly(tokenIds, Date.now());
    this.#goOn();
  }

  /** Arms the alarm again in case the platform has lost it. */
  async keepTime(): Promise<void> {
    this.#alarm.know(await this.ctx.storage.getAlarm());
    if (this.#fault === null) this.#goOn();
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.#fault !== null) return;
    this.#dialed.receive(socket, typeof message === "string" ? message : "", Date.now());
    this.#goOn();
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    answerClose(socket, code, reason);
    this.#closed(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#closed(socket);
  }

  /** Makes no call that it waits for, so that a routine's object that hangs does not hold up the alarm. */
  override alarm(): void {
    if (this.#fault !== null) this.#open();
    if (this.#fault !== null) return;
    this.#alarm.ring();
    this.#goOn();
  }

  #closed(socket: WebSocket): void {
    if (this.#fault !== null) return;
    this.#dialed.closed(socket, Date.now());
    this.#goOn();
  }

  /** Brings the tables up to date. Where that fails the alarm tries again. */
  #open(): void {
    this.#fault = this.#findFault();
    if (this.#fault !== null) return void this.ctx.storage.setAlarm(Date.now() + MIGRATE_RETRY_MS);
    this.#goOn();
  }

  #findFault(): string | null {
    const check = readConfig(this.env);
    if (!check.ok) return `misconfigured: ${check.issues.map(({ field }) => field).join(", ")}`;
    const elsewhere = ownResidenceFault(check.config.jurisdiction, this.ctx.id);
    if (elsewhere !== null) return `misconfigured: ${elsewhere.field} ${elsewhere.message}`;
    const migrated = migratePool(this.ctx.storage);
    return migrated.ok ? null : `storage_not_migrated: ${migrated.migration}: ${migrated.cause}`;
  }

  /** @throws Error until the pool can work: the caller owes the call, and makes it again. */
  #requireTables(): void {
    if (this.#fault !== null) throw new Error(this.#fault);
  }

  /** Called after each change: offers the leases for which there is room, and arms the alarm for the next deadline. */
  #goOn(): void {
    this.#engine.match(Date.now());
    this.#containers?.keepWarm(this.#leases.held(this.#containers.kind), Date.now());
    this.#alarm.arm();
  }

  /** The hosts come first, so that leases of a place that they give up are reported in the same turn. */
  #concerns(): Concern[] {
    const hosts = this.#hosts.map((host) => ({
      name: `host_${host.kind}`,
      next: () => host.next(Date.now(), this.#leases.held(host.kind)),
      look: (nowMs: number) => host.look(nowMs, this.#leases.held(host.kind)),
    }));
    const leases = {
      name: "leases",
      next: () => this.#leases.nextDue(),
      look: (nowMs: number) => this.#seeToDue(nowMs),
    };
    return [...hosts, leases];
  }

  #seeToDue(nowMs: number): void {
    this.#engine.seeToOverdue(nowMs);
    const ended = this.#leases.due(nowMs).filter(({ status }) => status === "ended");
    this.#ends.start(ended, nowMs);
  }
}
