/**
 * The host of containers: a place for each lease, made when it is wanted, up to so many at once. Each lease has an object of
 * its own, which starts the container, and tells from time to time that it is there.
 */
import { withinDeadline } from "#instance/in-time.ts";
import type { ContainerOrder, ContainerReport } from "#instance/object-contracts.ts";
import { logTrouble } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { backoffMs } from "#rules/backoff.ts";
import { START_WITHIN_MS } from "#rules/sandbox/container-life.ts";
import { type Grant, type Held, type HostReports, KILL_DEADLINE_MS, type LeaseHost } from "./lease-host.ts";

/** The object of a lease's container, as the host calls it. */
export interface AskedContainer {
  begin(order: ContainerOrder): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

interface Parts {
  /** The name of the pool. */
  pool: string;
  /** How many containers may work at once. */
  capacity(): number;
  containerOf(lease: LeaseRef): AskedContainer;
  reports: HostReports;
  /** A report has changed something, though nobody has called. */
  onChange(): void;
}

/** What is known of a place that has a lease, since this process has opened the pool. Moments are Unix milliseconds. */
interface Watch {
  heardMs: number;
  /** When it was noticed that nothing has been heard for too long; null while that is not so. */
  doubtedMs: number | null;
  killedMs: number | null;
}

/** Shorter than the time in which an offer has to be accepted: the lease waits again, and no attempt is used up. */
const BEGIN_MS = 8_000;
const CALL_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;
/** A container's object tells every minute that it is there. */
const SILENT_MS = 200_000;
/** After a clock that has jumped everything seems silent: what is there says so within this time. */
const DOUBT_MS = 10_000;

export class ContainerHost implements LeaseHost {
  readonly kind = "container";
  readonly #parts: Parts;
  readonly #openedMs = Date.now();
  /** Names of places that no lease has been handed to yet. */
  readonly #unused = new Set<string>();
  readonly #watched = new Map<string, Watch>();
  /** No lease is given to a container before: there was no room, or nobody answered, so often in a row. */
  #pause = { untilMs: 0, failures: 0 };
  /** The first container after a deploy, which makes this object anew, takes longer. */
  #hasBegun = false;

  constructor(parts: Parts) {
    this.#parts = parts;
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
    this.#hear(place, Date.now());
    void this.#begin(place, grant);
    return "sent";
  }

  stop(place: string, lease: LeaseRef): void {
    if (isPlace(place)) void this.#call("stop", lease);
  }

  kill(place: string, lease: LeaseRef, nowMs: number): void {
    if (!isPlace(place)) return;
    this.#watch(place).killedMs ??= nowMs;
    void this.#call("kill", lease);
  }

  /** Takes in what the object of a container tells. @returns `unknown` when its container has to end. */
  hear({ place, lease, end }: ContainerReport, nowMs: number): "held" | "unknown" {
    const { reports } = this.#parts;
    if (end === null) {
      const isHeld = reports.accepted(place, lease);
      if (isHeld) this.#hear(place, nowMs);
      this.#pause.failures = 0;
      return isHeld ? "held" : "unknown";
    }
    this.#watched.delete(place);
    if (end === "declined") {
      this.#rest(nowMs);
      reports.declined(place, lease);
    } else {
      // There is room again.
      this.#pause.untilMs = 0;
      reports.ended(place, lease, end);
    }
    return "unknown";
  }

  next(nowMs: number, held: Held): number | null {
    const moments = [...held.keys()].filter(isPlace).map((place) => this.#nextOf(this.#watched.get(place)));
    if (this.#pause.untilMs > nowMs) moments.push(this.#pause.untilMs);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  look(nowMs: number, held: Held): void {
    for (const place of [...held.keys()].filter(isPlace)) {
      if (this.#nextOf(this.#watched.get(place)) > nowMs) continue;
      const watch = this.#watch(place);
      if (watch.killedMs === null && watch.doubtedMs === null) watch.doubtedMs = nowMs;
      else this.#lose(place);
    }
    for (const place of this.#watched.keys()) if (!held.has(place)) this.#watched.delete(place);
  }

  async #begin(place: string, { lease, link_token, proxy_token }: Grant): Promise<void> {
    const { pool, reports, onChange } = this.#parts;
    const start_within_ms = this.#hasBegun ? START_WITHIN_MS.usually : START_WITHIN_MS.first;
    try {
      const begun = this.#parts
        .containerOf(lease)
        .begin({ lease, link_token, proxy_token, pool, place, start_within_ms });
      await withinDeadline(begun, BEGIN_MS, "the container");
      this.#hasBegun = true;
      if (!reports.accepted(place, lease)) this.stop(place, lease);
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call: "begin" }, error);
      this.#putOff(place, lease, Date.now());
    }
    onChange();
  }

  /**
   * Nobody knows whether the container has begun. The lease may be given to it again, which begins nothing twice; of two
   * that work on one lease the run's object takes the first alone.
   */
  #putOff(place: string, lease: LeaseRef, nowMs: number): void {
    this.#watched.delete(place);
    this.#rest(nowMs);
    this.#parts.reports.declined(place, lease, "unanswered");
  }

  #rest(nowMs: number): void {
    const failures = this.#pause.failures + 1;
    this.#pause = { failures, untilMs: nowMs + Math.min(LONGEST_PAUSE_MS, backoffMs(failures + 1)) };
  }

  async #call(call: "stop" | "kill", lease: LeaseRef): Promise<void> {
    try {
      await withinDeadline(this.#parts.containerOf(lease)[call](), CALL_MS, "the container");
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call }, error);
    }
  }

  #hear(place: string, nowMs: number): void {
    const { killedMs } = this.#watch(place);
    this.#watched.set(place, { heardMs: nowMs, doubtedMs: null, killedMs });
  }

  #watch(place: string): Watch {
    const known = this.#watched.get(place);
    if (known !== undefined) return known;
    const watch = { heardMs: this.#openedMs, doubtedMs: null, killedMs: null };
    this.#watched.set(place, watch);
    return watch;
  }

  /** When a place has to be looked at. @param watch undefined for one of which nothing has been heard. */
  #nextOf(watch: Watch | undefined): number {
    if (watch === undefined) return this.#openedMs + SILENT_MS;
    const { heardMs, doubtedMs, killedMs } = watch;
    if (killedMs !== null) return killedMs + KILL_DEADLINE_MS;
    return doubtedMs === null ? heardMs + SILENT_MS : doubtedMs + DOUBT_MS;
  }

  #lose(place: string): void {
    this.#watched.delete(place);
    this.#parts.reports.lost(place);
  }
}

const PREFIX = "container-";

function newPlace(): string {
  return `${PREFIX}${crypto.randomUUID()}`;
}

function isPlace(name: string): boolean {
  return name.startsWith(PREFIX);
}
