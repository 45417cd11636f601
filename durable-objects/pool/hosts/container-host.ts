/**
 * The host of containers: a place for each lease, made when it is wanted, up to so many at once. Each lease has an object of
 * its own, which starts the container, and tells from time to time that it is there.
 */
import { withinDeadline } from "#instance/in-time.ts";
import type { BeginAnswer, ContainerOrder, ContainerReport, WarmReport } from "#instance/object-contracts.ts";
import type { Actor } from "#protocol/actor.ts";
import { logTrouble } from "#protocol/log.ts";
import type { PoolWarm, WarmSetting } from "#protocol/pool.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { ContainerObstacle } from "#rules/pool/why-waiting.ts";
import { START_WITHIN_MS } from "#rules/sandbox/container-life.ts";
import { ContainerWatches, type Watch, type WatchStorage } from "./container-watches.ts";
import { type Grant, type Held, type HostReports, KILL_DEADLINE_MS, type LeaseHost } from "./lease-host.ts";
import { StartPause } from "./start-pause.ts";
import { type AskedWarm, WarmContainers, type WarmRoom, type WarmStorage } from "./warm-containers.ts";

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
  /** For so long a run that has been given a container that was kept warm has the machine to itself, in milliseconds. */
  yieldMs(): number;
  reports: HostReports;
  /** A report has changed something, though nobody has called. */
  onChange(): void;
}

/** Shorter than the time in which an offer has to be accepted: the lease waits again, and no attempt is used up. */
const BEGIN_MS = 8_000;
const CALL_MS = 10_000;
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
  readonly #pause = new StartPause();
  /** The first container after a deploy, which makes this object anew, takes longer. */
  #hasBegun = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#watches = new ContainerWatches(parts.storage);
    const { pool, storage, yieldMs } = parts;
    this.#warm = new WarmContainers({ pool, objectOf: parts.warmOf, storage, yieldMs });
  }

  place(held: Held, nowMs: number): string | null {
    const canStart = this.#pause.until(nowMs) === null || this.#hasWarm(held, nowMs);
    if (this.#room(held) === 0 || !canStart) return null;
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
      this.#pause.succeeded();
      return isHeld ? "held" : "unknown";
    }
    this.#watches.drop(place);
    this.#warm.release(lease, "over", nowMs);
    if (end === "declined") {
      this.#pause.begin("no_room", nowMs);
      reports.declined(place, lease);
    } else {
      // There is room again.
      this.#pause.end();
      reports.ended(place, lease, end);
    }
    return "unknown";
  }

  next(nowMs: number, held: Held): number | null {
    const moments = [...held.keys()].filter(isPlace).map((place) => nextOf(this.#watches.of(place, nowMs)));
    const others = [this.#pause.until(nowMs), this.#warm.next(this.#warmRoom(held, nowMs), nowMs)];
    moments.push(...others.filter((moment) => moment !== null));
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
    return this.#room(held) > 0 ? this.#pause.why(nowMs) : null;
  }

  /** How many containers are to be kept ready, and for how long in a month. */
  setWarm(setting: WarmSetting, by: Actor | null, nowMs: number): void {
    this.#warm.set(setting, by, nowMs);
  }

  warm(held: Held, nowMs: number): PoolWarm {
    return this.#warm.status(this.#warmRoom(held, nowMs), nowMs);
  }

  /** Takes in what the object of a container tells that waits for a lease. @returns `unknown` when it has to end. */
  hearWarm(report: WarmReport, nowMs: number): "held" | "unknown" {
    return this.#warm.hear(report, nowMs);
  }

  /** Starts and ends containers that wait. To be called after each change. */
  keepWarm(held: Held, nowMs: number): void {
    this.#warm.keep(this.#warmRoom(held, nowMs), nowMs);
  }

  /** Whether a lease can be given to a container that is there already, though none is started. */
  #hasWarm(held: Held, nowMs: number): boolean {
    return this.#pause.sparesWarm(nowMs) && this.#warm.ready() > this.#underWay(held);
  }

  #room(held: Held): number {
    return Math.max(0, this.#parts.capacity() - [...held.keys()].filter(isPlace).length);
  }

  /** How many leases have a place, and are yet to be handed to a container. */
  #underWay(held: Held): number {
    return [...this.#unused].filter((place) => held.has(place)).length;
  }

  /** For a lease that is about to be given to a container that waits no room is to be made. */
  #warmRoom(held: Held, nowMs: number): WarmRoom {
    const containers = this.#room(held) + Math.min(this.#underWay(held), this.#warm.ready());
    const isFull = this.#pause.why(nowMs) === "no_room";
    return { containers, fullUntilMs: isFull ? this.#pause.until(nowMs) : null };
  }

  async #begin(place: string, { lease, link_token, proxy_token }: Grant): Promise<void> {
    const { pool, reports, onChange } = this.#parts;
    const start_within_ms = this.#hasBegun ? START_WITHIN_MS.usually : START_WITHIN_MS.first;
    try {
      const begun = this.#give({ lease, link_token, proxy_token, pool, place, start_within_ms });
      if (await withinDeadline(begun, BEGIN_MS, "the container")) {
        this.#hasBegun = true;
        if (!reports.accepted(place, lease)) this.stop(place, lease);
      } else {
        this.#watches.drop(place);
        reports.declined(place, lease);
      }
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call: "begin" }, error);
      this.#putOff(place, lease, Date.now());
    }
    onChange();
  }

  /** To a container that waits, if there is one, and else to one that is started for it. @returns whether it has begun. */
  async #give(order: ContainerOrder): Promise<boolean> {
    const { lease, place } = order;
    const name = this.#warm.claim(lease, Date.now());
    const answer = name === null ? "gone" : await this.#parts.warmOf(name).begin(order);
    if (answer === "begun") return true;
    this.#warm.release(lease, answer, Date.now());
    // The lease may be given to another by now: this answer came too late.
    if (!this.#watches.has(place)) return false;
    if (this.#pause.why(Date.now()) === "no_room") {
      if (answer === "unfit") this.#pause.misfit();
      return false;
    }
    await this.#parts.containerOf(lease).begin(order);
    return true;
  }

  /**
   * Nobody knows whether the container has begun. The lease may be given to it again, which begins nothing twice; of two
   * that work on one lease the run's object takes the first alone.
   */
  #putOff(place: string, lease: LeaseRef, nowMs: number): void {
    this.#watches.drop(place);
    this.#pause.begin("silent", nowMs);
    this.#parts.reports.declined(place, lease, "unanswered");
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
