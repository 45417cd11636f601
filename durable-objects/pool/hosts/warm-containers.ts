/**
 * The containers that a pool keeps warm: each is started before there is a lease for it, waits in an object of its own, and works
 * on one lease at most. What is known of them is stored: a pool leaves memory while they wait. Moments are Unix milliseconds.
 */
import { withinDeadline } from "#instance/in-time.ts";
import type { BeginAnswer, WarmOrder, WarmReport } from "#instance/object-contracts.ts";
import { newWarmName } from "#instance/objects.ts";
import type { Actor } from "#protocol/actor.ts";
import { logTrouble } from "#protocol/log.ts";
import type { PoolWarm, WarmSetting } from "#protocol/pool.ts";
import { isSameLease, type LeaseRef } from "#protocol/runner-link.ts";
import { timestamp } from "#protocol/time.ts";
import { backoffMs } from "#rules/backoff.ts";
import {
  inMonth,
  monthOf,
  planWarm,
  type WarmContainer,
  type WarmState,
  warmMs,
  whyFewer,
} from "#rules/pool/plan-warm.ts";
import { START_WITHIN_MS } from "#rules/sandbox/container-life.ts";

/** The object of a container that waits, as it is called here. */
export interface AskedWarm {
  prepare(order: WarmOrder): Promise<void>;
  kill(): Promise<void>;
}

export type WarmStorage = Pick<SyncKvStorage, "get" | "list" | "put" | "delete">;

export interface WarmParts {
  /** The name of the pool. */
  pool: string;
  objectOf(name: string): AskedWarm;
  storage: WarmStorage;
  /** So long after one has been given away the next is started, unless the run is over before; in milliseconds. */
  yieldMs(): number;
}

/** What the pool has for containers that wait. */
export interface WarmRoom {
  /** How many there may be. */
  containers: number;
  /** Until when the platform has no room for another; null when that is not so. */
  fullUntilMs: number | null;
}

interface Known extends WarmContainer {
  /** What it has been given, or may have been, and since when; null while it waits. */
  lease: LeaseRef | null;
  givenMs: number | null;
}

const PREFIX = "warm:";
const SETTING = "warm-setting";
const USED = "warm-used";
/** The setting, and who has set it when. */
type Setting = WarmSetting & Pick<PoolWarm, "updated_at" | "updated_by">;

const UNSET: Setting = { containers: 0, hours_per_month: 0, updated_at: null, updated_by: null };
const CALL_MS = 10_000;
/** What has been given and still says that it waits, after so long, has not taken it. */
const UNTAKEN_MS = 120_000;
const LONGEST_PAUSE_MS = 60_000;
const HOUR_MS = 3_600_000;

export class WarmContainers {
  readonly #parts: WarmParts;
  readonly #known = new Map<string, Known>();
  #setting: Setting;
  /** None is started before: the last failed, so often in a row. */
  #pause = { untilMs: 0, failures: 0, failure: "" };

  constructor(parts: WarmParts) {
    this.#parts = parts;
    this.#setting = { ...UNSET, ...parts.storage.get<Setting>(SETTING) };
    for (const [key, one] of parts.storage.list<Known>({ prefix: PREFIX }))
      this.#known.set(key.slice(PREFIX.length), one);
  }

  set(setting: WarmSetting, by: Actor | null, nowMs: number): void {
    this.#setting = { ...setting, updated_at: timestamp(nowMs), updated_by: by };
    this.#pause = { untilMs: 0, failures: 0, failure: "" };
    this.#parts.storage.put(SETTING, this.#setting);
  }

  /** How many could be given a lease now. */
  ready(): number {
    return this.#free().filter(isReady).length;
  }

  status(room: WarmRoom, nowMs: number): PoolWarm {
    const state = this.#state(room, nowMs);
    return {
      ...this.#setting,
      ready: this.ready(),
      hours_used: Number((warmMs(state, nowMs) / HOUR_MS).toFixed(2)),
      why: whyFewer({ ...state, obstacle: this.#obstacle(room, nowMs) }, nowMs),
    };
  }

  /** The object that a lease has been given to; null where it is none of these. */
  of(lease: LeaseRef): string | null {
    return [...this.#known.values()].find((one) => one.lease !== null && isSameLease(one.lease, lease))?.name ?? null;
  }

  /**
   * Gives a lease to a container that is ready. A lease that may be with one already stays there: whoever waited for the answer
   * may have left memory. @returns the name of its object; null when there is none.
   */
  claim(lease: LeaseRef, nowMs: number): string | null {
    const given = this.of(lease);
    if (given !== null) return given;
    const one = this.#free().find(isReady);
    if (one === undefined) return null;
    this.#count(inMonth(one.begunMs, nowMs), nowMs);
    this.#keep({ ...one, lease, givenMs: nowMs });
    return one.name;
  }

  /** A lease is not with a container of these any more, or never was. */
  release(lease: LeaseRef, why: Exclude<BeginAnswer, "begun"> | "over", nowMs: number): void {
    const name = this.of(lease);
    const one = name === null ? undefined : this.#known.get(name);
    if (one === undefined) return;
    if (why !== "unfit") {
      this.#drop(one);
      return;
    }
    // It waits on, and what it has waited is counted when that ends.
    this.#count(-inMonth(one.begunMs, one.givenMs ?? nowMs), nowMs);
    this.#keep({ ...one, lease: null, givenMs: null });
  }

  /** Takes in what the object of a container tells. @returns `unknown` when it has to end. */
  hear({ name, state, reason }: WarmReport, nowMs: number): "held" | "unknown" {
    const one = this.#known.get(name);
    if (one === undefined) return "unknown";
    if (one.givenMs !== null) {
      // It does not say so if it has taken its lease.
      if (state !== "ended" && one.givenMs + UNTAKEN_MS > nowMs) return "held";
      this.#drop(one);
      return "unknown";
    }
    if (state === "ended") {
      this.#end(one, nowMs);
      if (reason !== null) this.#rest(reason, nowMs);
      return "unknown";
    }
    if (state === "ready") this.#pause = { untilMs: 0, failures: 0, failure: "" };
    this.#keep({ ...one, heardMs: nowMs, readyMs: state === "ready" ? (one.readyMs ?? nowMs) : null });
    return "held";
  }

  next(room: WarmRoom, nowMs: number): number | null {
    return planWarm(this.#state(room, nowMs), nowMs).nextMs;
  }

  /** Ends and starts what is to be ended and started now. */
  keep(room: WarmRoom, nowMs: number): void {
    const { end, begin } = planWarm(this.#state(room, nowMs), nowMs);
    for (const name of end) {
      const one = this.#known.get(name);
      if (one !== undefined) this.#end(one, nowMs);
      void this.#call(name, "kill", (object) => object.kill());
    }
    for (let count = 0; count < begin; count += 1) void this.#prepare(nowMs);
  }

  async #prepare(nowMs: number): Promise<void> {
    const name = newWarmName();
    this.#keep({ name, begunMs: nowMs, readyMs: null, heardMs: nowMs, lease: null, givenMs: null });
    const order = { pool: this.#parts.pool, name, start_within_ms: START_WITHIN_MS.first };
    const failure = await this.#call(name, "prepare", (object) => object.prepare(order));
    if (failure === null) return;
    const one = this.#known.get(name);
    // If it has begun, it is told that nobody knows of it.
    if (one !== undefined) this.#end(one, Date.now());
    this.#rest(failure, Date.now());
  }

  /** @returns what went wrong, or null. */
  async #call(name: string, call: string, ask: (object: AskedWarm) => Promise<void>): Promise<string | null> {
    try {
      await withinDeadline(ask(this.#parts.objectOf(name)), CALL_MS, "the container's object");
      return null;
    } catch (error) {
      logTrouble("warm_container_failed", { container: name, call }, error);
      return error instanceof Error ? error.message : String(error);
    }
  }

  #rest(failure: string, nowMs: number): void {
    const failures = this.#pause.failures + 1;
    this.#pause = { failures, failure, untilMs: nowMs + Math.min(LONGEST_PAUSE_MS, backoffMs(failures)) };
  }

  #end(one: Known, nowMs: number): void {
    this.#count(inMonth(one.begunMs, nowMs), nowMs);
    this.#drop(one);
  }

  #count(ms: number, nowMs: number): void {
    this.#parts.storage.put(USED, { month: monthOf(nowMs), ms: Math.max(0, this.#usedMs(nowMs) + ms) });
  }

  #usedMs(nowMs: number): number {
    const used = this.#parts.storage.get<{ month: string; ms: number }>(USED);
    return used?.month === monthOf(nowMs) ? used.ms : 0;
  }

  #free(): Known[] {
    return [...this.#known.values()].filter(({ lease }) => lease === null);
  }

  #state({ containers, fullUntilMs }: WarmRoom, nowMs: number): WarmState {
    const givenMs = [...this.#known.values()].map((one) => one.givenMs ?? 0);
    return {
      setting: this.#setting,
      room: containers,
      containers: this.#free(),
      usedMs: this.#usedMs(nowMs),
      pausedUntilMs: Math.max(this.#pause.untilMs, fullUntilMs ?? 0, Math.max(0, ...givenMs) + this.#parts.yieldMs()),
    };
  }

  #obstacle({ fullUntilMs }: WarmRoom, nowMs: number): string | null {
    if (fullUntilMs !== null) return "The platform has no room for another container just now.";
    return this.#pause.untilMs > nowMs ? `The last one could not be started: ${this.#pause.failure}` : null;
  }

  #keep(one: Known): void {
    this.#known.set(one.name, one);
    this.#parts.storage.put(PREFIX + one.name, one);
  }

  #drop({ name }: Known): void {
    this.#known.delete(name);
    this.#parts.storage.delete(PREFIX + name);
  }
}

function isReady({ readyMs }: Known): boolean {
  return readyMs !== null;
}
