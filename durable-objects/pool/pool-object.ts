/** One runner pool: runners register and wait here; leases, capacity and queue; lost runners noticed. */
import { DurableObject } from "cloudflare:workers";
import { makeAttemptToken } from "#instance/attempt-token.ts";
import { type Config, type ObjectEnv, readConfig, requireConfig } from "#instance/config.ts";
import type { LeaseRequest } from "#instance/object-contracts.ts";
import { routineObject } from "#instance/objects.ts";
import { answerClose, refuseUpgrade } from "#instance/sockets.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import { LOST_AFTER_MS } from "../alarm.ts";
import { MIGRATE_RETRY_MS } from "../migrate.ts";
import { migratePool, poolDatabase } from "./database.ts";
import type { HostReports } from "./hosts/lease-host.ts";
import { RegisteredRunners } from "./hosts/registered-runners.ts";
import { KILL_DEADLINE_MS, type LeaseRow, Leases, refOf } from "./leases.ts";
import { ReportEnds } from "./report-ends.ts";

/** While leases are held, runners are looked after this often. */
const CHECK_MS = 5_000;

export class PoolObject extends DurableObject<ObjectEnv> {
  readonly #leases: Leases;
  /** Why the pool can't work: a wrong configuration, or tables that are not those of this version; null when it can. */
  #fault: string | null = null;
  #nextCheckAt: number | null = null;
  /** For when the alarm is armed, as far as this object knows. */
  #alarmAt: number | null = null;
  readonly #runners: RegisteredRunners;
  readonly #ends: ReportEnds;

  /** What the runners tell. */
  readonly #reports: HostReports = {
    accepted: (runnerId, lease) => {
      const row = this.#leases.get(lease);
      if (row?.runnerId !== runnerId) this.#runners.stop(runnerId, lease);
      else if (row.status === "offered") this.#leases.accept(row);
    },
    declined: (runnerId, lease) => {
      const row = this.#leases.get(lease);
      if (row?.runnerId !== runnerId) return;
      if (row.status === "offered") this.#leases.giveBack(row);
      // It was taken back meanwhile, and nobody has begun with it.
      else if (row.status === "stopping") this.#leases.end(row, "work_ended", Date.now());
    },
    ended: (runnerId, lease) => {
      const row = this.#leases.get(lease);
      if (row?.runnerId === runnerId) this.#leases.end(row, "work_ended", Date.now());
    },
    present: (runnerId, inHand) => {
      const isInHand = (row: LeaseRow) =>
        inHand.some((lease) => lease.run_id === row.runId && lease.generation === row.generation);
      for (const row of this.#leases.heldBy(runnerId)) {
        // An `ended` that was lost with the socket; or the offer was, or the word that it was declined.
        if (row.status !== "offered" && !isInHand(row)) this.#leases.end(row, "work_ended", Date.now());
        if (row.status === "stopping" && isInHand(row)) this.#runners.stop(runnerId, refOf(row));
        if (row.status !== "offered") continue;
        if (isInHand(row)) this.#leases.accept(row);
        else this.#leases.giveBack(row);
      }
      for (const lease of inHand) {
        if (this.#leases.get(lease)?.runnerId !== runnerId) this.#runners.stop(runnerId, lease);
      }
    },
    lost: (runnerId) => {
      for (const row of this.#leases.heldBy(runnerId)) this.#leases.end(row, "runner_lost", Date.now());
    },
  };

  constructor(context: DurableObjectState, env: ObjectEnv) {
    super(context, env);
    const database = poolDatabase(context.storage);
    this.#leases = new Leases(database);
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#runners = new RegisteredRunners(context, database, this.#reports);
    const tell = async (routineId: string, lease: LeaseRef, end: NonNullable<LeaseRow["end"]>) => {
      await routineObject(env, this.#config.jurisdiction, routineId).leaseEnded(lease, end);
    };
    this.#ends = new ReportEnds(this.#leases, tell, () => this.#armAlarm());
    this.#open();
  }

  /** A runner's socket; the worker has checked its token. */
  override fetch(): Response {
    if (this.#fault !== null) return refuseUpgrade(CLOSE_CODES.restarting, "the pool can't be opened");
    return this.#runners.accept();
  }

  /** Asks for a runner for each lease. Asking twice for one is asking once. @returns how many runners the pool has. */
  request(requests: LeaseRequest[]): { runners: number } {
    this.#requireTables();
    const nowMs = Date.now();
    this.ctx.storage.transactionSync(() => {
      for (const { lease, routine_id } of requests) this.#leases.ask(lease, routine_id, nowMs);
    });
    this.#match();
    return { runners: this.#runners.runnerCount() };
  }

  /** Takes leases back: at once where nobody works on one, else as soon as the work has stopped. @returns one answer each. */
  release(leases: LeaseRef[]): ("freed" | "stopping")[] {
    this.#requireTables();
    const answers = leases.map((lease) => this.#release(lease));
    this.#armAlarm();
    return answers;
  }

  /** Has the alarm armed again, should it have been lost, whatever the object knows of it. */
  async keepTime(): Promise<void> {
    this.#alarmAt = await this.ctx.storage.getAlarm();
    if (this.#fault === null) this.#armAlarm();
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.#fault !== null) return;
    this.#runners.receive(socket, typeof message === "string" ? message : "", Date.now());
    this.#match();
  }

  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    answerClose(socket, code, reason);
    this.#miss(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#miss(socket);
  }

  /** Waits for nobody: a routine's object that hangs is waited for elsewhere. */
  override alarm(): void {
    this.#alarmAt = null;
    if (this.#fault !== null) this.#open();
    if (this.#fault !== null) return;
    const nowMs = Date.now();
    this.#nextCheckAt = null;
    this.#runners.check(nowMs);
    for (const row of this.#leases.due(nowMs)) {
      if (row.status === "offered") this.#expire(row, nowMs);
      if (row.status === "stopping") this.#force(row, nowMs);
    }
    const ended = this.#leases.due(nowMs).filter(({ status }) => status === "ended");
    this.#ends.start(ended, nowMs);
    this.#match();
  }

  #miss(socket: WebSocket): void {
    if (this.#fault !== null) return;
    this.#runners.miss(socket, Date.now());
    this.#armAlarm();
  }

  /** Brings the tables up to date. Where that fails the alarm tries again, so that the pool keeps time afterwards. */
  #open(): void {
    this.#fault = this.#findFault();
    if (this.#fault !== null) return void this.ctx.storage.setAlarm(Date.now() + MIGRATE_RETRY_MS);
    this.#runners.missThoseWithoutSocket(Date.now());
    this.#armAlarm();
  }

  #findFault(): string | null {
    const check = readConfig(this.env);
    if (!check.ok) return `misconfigured: ${check.issues.map(({ field }) => field).join(", ")}`;
    const migrated = migratePool(this.ctx.storage);
    return migrated.ok ? null : `storage_not_migrated: ${migrated.migration}: ${migrated.cause}`;
  }

  get #config(): Config {
    return requireConfig(this.env);
  }

  /** @throws Error until the pool can work: the caller owes the call, and makes it again. */
  #requireTables(): void {
    if (this.#fault !== null) throw new Error(this.#fault);
  }

  #release(lease: LeaseRef): "freed" | "stopping" {
    const row = this.#leases.get(lease);
    if (row === null) return "freed";
    if (row.status === "waiting") {
      this.#leases.remove(lease);
      return "freed";
    }
    if (row.status === "offered" || row.status === "accepted") {
      this.#leases.stop(row, Date.now());
      if (row.runnerId !== null) this.#runners.stop(row.runnerId, lease);
    }
    return "stopping";
  }

  #expire(row: LeaseRow, nowMs: number): void {
    if (row.runnerId !== null) this.#runners.stop(row.runnerId, refOf(row));
    this.#leases.end(row, "offer_expired", nowMs);
  }

  /** Work that does not stop is killed; what outlives that too ends by itself. The runner's other work goes on. */
  #force(row: LeaseRow, nowMs: number): void {
    const { runnerId } = row;
    if (runnerId === null) return;
    if (row.tries === 0 || !this.#runners.isConnected(runnerId)) {
      // A runner that is away has a while to come back, and is lost with all its work when that is over.
      this.#runners.kill(runnerId, refOf(row));
      this.#leases.kill(row, nowMs);
    } else if (this.#runners.isHeardSince(runnerId, (row.dueAt ?? nowMs) - KILL_DEADLINE_MS)) {
      this.#leases.end(row, "runner_lost", nowMs);
    } else this.#runners.forgetRunner(runnerId);
  }

  /** Hands waiting leases to runners with room, and arms the alarm for whatever comes next. */
  #match(): void {
    const nowMs = Date.now();
    for (;;) {
      const row = this.#leases.nextWaiting();
      const runnerId = row === null ? null : this.#runners.freeRunner(this.#leases.counts());
      if (row === null || runnerId === null) break;
      this.#leases.offer(row, runnerId, nowMs);
      void this.#sendOffer(runnerId, refOf(row));
    }
    this.#armAlarm();
  }

  /** Tokens are made only for the offer: no table holds them. */
  async #sendOffer(runnerId: string, lease: LeaseRef): Promise<void> {
    const [link_token, proxy_token] = await Promise.all([
      makeAttemptToken(this.#config.signingKey, "link", lease),
      makeAttemptToken(this.#config.signingKey, "proxy", lease),
    ]);
    const row = this.#leases.get(lease);
    if (row?.status === "offered" && row.runnerId === runnerId) {
      this.#runners.offer(runnerId, { lease, link_token, proxy_token });
    }
  }

  /** It does not move ahead with every message: else traffic would keep a silent runner from being noticed. */
  #checkAt(): number {
    this.#nextCheckAt ??= Date.now() + CHECK_MS;
    return this.#nextCheckAt;
  }

  /** An alarm that is armed for an earlier moment stays: it finds nothing to do, and arms the next. */
  #armAlarm(): void {
    const moments = [
      this.#leases.nextDue(),
      this.#runners.nextCheck(),
      this.#leases.isAnyHeld() ? this.#checkAt() : null,
    ].filter((moment) => moment !== null);
    const earliest = Math.min(...moments);
    const isArmed = this.#alarmAt !== null && this.#alarmAt <= earliest && this.#alarmAt > Date.now() - LOST_AFTER_MS;
    if (moments.length === 0 || isArmed) return;
    this.#alarmAt = earliest;
    void this.ctx.storage.setAlarm(earliest);
  }
}
