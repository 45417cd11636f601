/**
 * The host of containers: a place for each lease, made when it is wanted, up to so many at once. Each lease has an object of
 * its own, which starts the container, and tells from time to time that it is there.
 */
import { withinDeadline } from "#instance/in-time.ts";
import type { BeginAnswer, ContainerOrder, ContainerReport, WarmReport } from "#instance/object-contracts.ts";
import { logTrouble } from "#protocol/log.ts";
import type { PoolWarm, WarmSetting } from "#protocol/pool.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { backoffMs } from "#rules/backoff.ts";
import type { ContainerObstacle } from "#rules/pool/why-waiting.ts";
import { START_WITHIN_MS } from "#rules/sandbox/container-life.ts";
import { ContainerWatches, type Watch, type WatchStorage } from "./container-watches.ts";
import { type Grant, type Held, type HostReports, KILL_DEADLINE_MS, type LeaseHost } from "./lease-host.ts";
import { type AskedWarm, WarmContainers, type WarmStorage } from "./warm-containers.ts";

/** The object of a lease's container, as the host calls it. */
export interface AskedContainer {
  begin(order: ContainerOrder): Promise<BeginAnswer>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  look(): Promise<void>;
}

interface Parts {
  /** The name of the pool. */
  pool: string;
  /** How many containers may work at once. */
  capacity(): number;
  containerOf(lease: LeaseRef): AskedContainer;
  /** The object of a container that was started before there was a lease, by its name. */
  warmOf(name: string): AskedContainer & AskedWarm;
  /** Where it is kept when each container has last been heard of, and which are kept warm. */
  storage: WatchStorage & WarmStorage;
  reports: HostReports;
  /** A report has changed something, though nobody has called. */
  onChange(): void;
}

/** Shorter than the time in which an offer has to be accepted: the lease waits again, and no attempt is used up. */
const BEGIN_MS = 8_000;
const CALL_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;
/** A container's object tells every minute that it is there. */
const SILENT_MS = 170_000;
/**
 * After a clock that has jumped, or a pool that could not be opened for a while, everything seems silent: what is there is asked to
 * look after itself, and says so within this time.
 */
const DOUBT_MS = 30_000;

export class ContainerHost implements LeaseHost {
  readonly kind = "container";
  readonly beginsOnce = true;
  readonly #parts: Parts;
  /** Names of places that no lease has been handed to yet. */
  readonly #unused = new Set<string>();
  readonly #watches: ContainerWatches;
  readonly #warm: WarmContainers;
  /** No lease is given to a container before: there was no room, or nobody answered, so often in a row. */
  #pause: { untilMs: number; failures: number; why: ContainerObstacle } = { untilMs: 0, failures: 0, why: "no_room" };
  /** The first container after a deploy, which makes this object anew, takes longer. */
  #hasBegun = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#watches = new ContainerWatches(parts.storage);
    this.#warm = new WarmContainers({ pool: parts.pool, objectOf: parts.warmOf, storage: parts.storage });
  }

  place(held: Held, nowMs: number): string | null {
    if (this.#pause.untilMs > nowMs) return null;
    const busy = [...held.keys()].filter(isPlace).length;
    if (busy >= this.#parts.capacity()) return null;
    for (const name of this.#unused) if (!held.has(name)) return name;
    const name = newPlace();
    this.#unused.add(name);
    return name;
  }

  size(): number {
    return this.#parts.capacity();
  }

  async offer(place: string, grant: Grant): Promise<"sent" | "gone"> {
    if (!this.#unused.delete(place)) return "gone";
    this.#watches.hear(place, grant.lease, Date.now());
    void this.#begin(place, grant);
    return "sent";
  }

  stop(place: string, lease: LeaseRef): void {
    if (isPlace(place)) void this.#call("stop", lease);
  }

  kill(place: string, lease: LeaseRef, nowMs: number): void {
    if (!isPlace(place)) return;
    this.#watches.kill(place, lease, nowMs);
    void this.#call("kill", lease);
  }

  /** Takes in what the object of a container tells. @returns `unknown` when its container has to end. */
  hear({ place, lease, end }: ContainerReport, nowMs: number): "held" | "unknown" {
    const { reports } = this.#parts;
    if (end === null) {
      const isHeld = reports.atWork(place, lease);
      if (isHeld) this.#watches.hear(place, lease, nowMs);
      this.#pause.failures = 0;
      return isHeld ? "held" : "unknown";
    }
    this.#watches.drop(place);
    this.#warm.release(lease, "over", nowMs);
    if (end === "declined") {
      this.#rest("no_room", nowMs);
      reports.declined(place, lease);
    } else {
      // There is room again.
      this.#pause.untilMs = 0;
      reports.ended(place, lease, end);
    }
    return "unknown";
  }

  next(nowMs: number, held: Held): number | null {
    const moments = [...held.keys()].filter(isPlace).map((place) => nextOf(this.#watches.of(place, nowMs)));
    if (this.#pause.untilMs > nowMs) moments.push(this.#pause.untilMs);
    const warm = this.#warm.next(this.#room(held), nowMs);
    if (warm !== null) moments.push(warm);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  look(nowMs: number, held: Held): void {
    const places = [...held.keys()].filter(isPlace);
    this.#watches.keepOnly(places);
    for (const place of places) {
      const watch = this.#watches.of(place, nowMs);
      if (nextOf(watch) > nowMs) continue;
      if (watch.killedMs === null && watch.doubtedMs === null) this.#doubt(place, watch, nowMs);
      else this.#lose(place, watch);
    }
  }

  /** Why no container is started just now, though not all are busy; null when that is not so. */
  obstacle(held: Held, nowMs: number): ContainerObstacle | null {
    return this.#pause.untilMs > nowMs && this.#room(held) > 0 ? this.#pause.why : null;
  }

  /** How many containers are to be kept ready, and for how long in a month. */
  setWarm(setting: WarmSetting): void {
    this.#warm.set(setting);
  }

  warm(held: Held, nowMs: number): PoolWarm {
    return this.#warm.status(this.#room(held), nowMs);
  }

  /** Takes in what the object of a container tells that waits for a lease. @returns `unknown` when it has to end. */
  hearWarm(report: WarmReport, nowMs: number): "held" | "unknown" {
    return this.#warm.hear(report, nowMs);
  }

  /** Starts and ends containers that wait. To be called after each change. */
  keepWarm(held: Held, nowMs: number): void {
    this.#warm.keep(this.#room(held), nowMs);
  }

  #room(held: Held): number {
    return Math.max(0, this.#parts.capacity() - [...held.keys()].filter(isPlace).length);
  }

  async #begin(place: string, { lease, link_token, proxy_token }: Grant): Promise<void> {
    const { pool, reports, onChange } = this.#parts;
    const start_within_ms = this.#hasBegun ? START_WITHIN_MS.usually : START_WITHIN_MS.first;
    try {
      const begun = this.#give({ lease, link_token, proxy_token, pool, place, start_within_ms });
      await withinDeadline(begun, BEGIN_MS, "the container");
      this.#hasBegun = true;
      if (!reports.accepted(place, lease)) this.stop(place, lease);
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call: "begin" }, error);
      this.#putOff(place, lease, Date.now());
    }
    onChange();
  }

  /** To a container that waits, if there is one, and else to one that is started for it. */
  async #give(order: ContainerOrder): Promise<void> {
    const { lease } = order;
    const name = this.#warm.claim(lease, Date.now());
    const answer = name === null ? "gone" : await this.#parts.warmOf(name).begin(order);
    if (answer === "begun") return;
    this.#warm.release(lease, answer, Date.now());
    await this.#parts.containerOf(lease).begin(order);
  }

  /**
   * Nobody knows whether the container has begun. The lease may be given to it again, which begins nothing twice; of two
   * that work on one lease the run's object takes the first alone.
   */
  #putOff(place: string, lease: LeaseRef, nowMs: number): void {
    this.#watches.drop(place);
    this.#rest("silent", nowMs);
    this.#parts.reports.declined(place, lease, "unanswered");
  }

  #rest(why: ContainerObstacle, nowMs: number): void {
    const failures = this.#pause.failures + 1;
    this.#pause = { failures, why, untilMs: nowMs + Math.min(LONGEST_PAUSE_MS, backoffMs(failures + 1)) };
  }

  async #call(call: "stop" | "kill" | "look", lease: LeaseRef): Promise<void> {
    try {
      const name = this.#warm.of(lease);
      const container = name === null ? this.#parts.containerOf(lease) : this.#parts.warmOf(name);
      await withinDeadline(container[call](), CALL_MS, "the container");
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call }, error);
    }
  }

  /** The object of a container whose alarm was lost looks again only when it is asked. */
  #doubt(place: string, { lease }: Watch, nowMs: number): void {
    this.#watches.doubt(place, nowMs);
    if (lease !== null) void this.#call("look", lease);
  }

  /** What may still run there has no lease from now on, and has to end. */
  #lose(place: string, { lease, killedMs }: Watch): void {
    this.#watches.drop(place);
    this.#parts.reports.lost(place);
    if (lease === null) return;
    if (killedMs === null) void this.#call("kill", lease);
    this.#warm.release(lease, "over", Date.now());
  }
}

/** When a place has to be looked at. */
function nextOf({ heardMs, doubtedMs, killedMs }: Watch): number {
  if (killedMs !== null) return killedMs + KILL_DEADLINE_MS;
  return doubtedMs === null ? heardMs + SILENT_MS : doubtedMs + DOUBT_MS;
}

const PREFIX = "container-";

function newPlace(): string {
  return `${PREFIX}${crypto.randomUUID()}`;
}

function isPlace(name: string): boolean {
  return name.startsWith(PREFIX);
}
