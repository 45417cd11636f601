/**
 * The containers that a pool keeps warm: each is started before there is a lease for it, waits in an object of its own, and works
 * on one lease at most. What is known of them is stored: a pool leaves memory while they wait. Moments are Unix milliseconds.
 */
import { withinDeadline } from "#instance/in-time.ts";
import type { BeginAnswer, WarmOrder, WarmReport } from "#instance/object-contracts.ts";
import { newWarmName } from "#instance/objects.ts";
import { logTrouble } from "#protocol/log.ts";
import type { PoolWarm, WarmSetting } from "#protocol/pool.ts";
import { isSameLease, type LeaseRef } from "#protocol/runner-link.ts";
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
}

interface Known extends WarmContainer {
  /** What it has been given, or may have been, and since when; null while it waits. */
  lease: LeaseRef | null;
  givenMs: number | null;
}

const PREFIX = "warm:";
const SETTING = "warm-setting";
const USED = "warm-used";
const OFF: WarmSetting = { containers: 0, hours_per_month: 0 };
const CALL_MS = 10_000;
/** What has been given and still says that it waits, after so long, has not taken it. */
const UNTAKEN_MS = 120_000;
const LONGEST_PAUSE_MS = 60_000;
const HOUR_MS = 3_600_000;

export class WarmContainers {
  readonly #parts: WarmParts;
  readonly #known = new Map<string, Known>();
  #setting: WarmSetting;
  /** None is started before: the last failed, so often in a row. */
  #pause = { untilMs: 0, failures: 0, failure: "" };

  constructor(parts: WarmParts) {
    this.#parts = parts;
    this.#setting = parts.storage.get<WarmSetting>(SETTING) ?? OFF;
    for (const [key, one] of parts.storage.list<Known>({ prefix: PREFIX }))
      this.#known.set(key.slice(PREFIX.length), one);
  }

  set(setting: WarmSetting): void {
    this.#setting = setting;
    this.#pause = { untilMs: 0, failures: 0, failure: "" };
    this.#parts.storage.put(SETTING, setting);
  }

  /** @param room how many containers there may be beside those that work. */
  status(room: number, nowMs: number): PoolWarm {
    const state = this.#state(room, nowMs);
    return {
      ...this.#setting,
      ready: state.containers.filter(({ readyMs }) => readyMs !== null).length,
      hours_used: Number((warmMs(state, nowMs) / HOUR_MS).toFixed(2)),
      why: whyFewer({ ...state, failure: this.#pause.failure }, nowMs),
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
    const one = [...this.#known.values()].find(({ lease: other, readyMs }) => other === null && readyMs !== null);
    if (one === undefined) return null;
    this.#use(one, nowMs);
    this.#keep({ ...one, lease, givenMs: nowMs });
    return one.name;
  }

  /** A lease is not with a container of these any more, or never was. */
  release(lease: LeaseRef, why: Exclude<BeginAnswer, "begun"> | "over", nowMs: number): void {
    const name = this.of(lease);
    const one = name === null ? undefined : this.#known.get(name);
    if (one === undefined) return;
    // What it has waited until now is counted.
    if (why === "unfit") this.#keep({ ...one, lease: null, givenMs: null, begunMs: nowMs });
    else this.#drop(one);
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

  next(room: number, nowMs: number): number | null {
    return planWarm(this.#state(room, nowMs), nowMs).nextMs;
  }

  /** Ends and starts what is to be ended and started now. */
  keep(room: number, nowMs: number): void {
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
    this.#use(one, nowMs);
    this.#drop(one);
  }

  #use({ begunMs }: Known, nowMs: number): void {
    this.#parts.storage.put(USED, { month: monthOf(nowMs), ms: this.#usedMs(nowMs) + inMonth(begunMs, nowMs) });
  }

  #usedMs(nowMs: number): number {
    const used = this.#parts.storage.get<{ month: string; ms: number }>(USED);
    return used?.month === monthOf(nowMs) ? used.ms : 0;
  }

  #state(room: number, nowMs: number): WarmState {
    return {
      setting: this.#setting,
      room,
      containers: [...this.#known.values()].filter(({ lease }) => lease === null),
      usedMs: this.#usedMs(nowMs),
      pausedUntilMs: this.#pause.untilMs,
    };
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
