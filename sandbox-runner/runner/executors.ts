/** The runner's executors: one for each lease, seen to its end, and spares for those to come. */
import { randomBytes } from "node:crypto";
import { ownerKeyOf } from "#protocol/ids.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { Expected, StartShape } from "../prepared/start-shape.ts";
import type { Log } from "../process/log.ts";
import { within } from "../process/within.ts";
import type { Executor } from "./executor.ts";
import { ExpectedRuns } from "./expected-runs.ts";
import type { Answer, Offer } from "./pool-link.ts";
import { RoutineSpares } from "./routine-spares.ts";
import { Spares } from "./spares.ts";

export interface ExecutorsOptions {
  capacity: number;
  /** How many executors are kept prepared. */
  spares: number;
  /** How many of them have an agent prepared. */
  agents: number;
  /** For how many routines one more is kept, with an agent in a copy of their repository. */
  routines: number;
  log: Log;
  start(one: StartedExecutor): Executor;
  /** Every process of this lease's work is gone. */
  onEnded(lease: LeaseRef): void;
}

/** What a new executor is given. */
export interface StartedExecutor {
  name: string;
  /** To be called whenever `has` may answer otherwise. */
  onNews(): void;
  /** What shape its run turns out to have. */
  onShape(shape: StartShape | null): void;
  /** What later runs of its run's routine can be prepared for; null for nothing. */
  onRoutine(expected: Expected | null): void;
}

interface Work {
  offer: Offer;
  takenAt: number;
  isStopped: boolean;
  executor: Executor | null;
  done: Promise<void>;
}

/** A spare that has not begun with its lease by then never will. */
const BEGIN_DEADLINE_MS = 10_000;
/** An engine may never answer again, and a process hang in the kernel: who told the runner to end does not wait for that. */
const STOP_DEADLINE_MS = 60_000;
const NAME_BYTES = 9;

export class Executors {
  readonly #options: ExecutorsOptions;
  readonly #running = new Map<string, Work>();
  readonly #spares: Spares;
  readonly #routines: RoutineSpares;
  readonly #expected = new ExpectedRuns();
  #isDraining = false;

  /** Prepares spares from now on. */
  constructor(options: ExecutorsOptions) {
    this.#options = options;
    const common = {
      log: options.log,
      start: () => this.#start(),
      startingSinceMs: () => this.#startingSinceMs(),
    };
    this.#spares = new Spares({ ...common, count: options.spares, agents: options.agents });
    this.#routines = new RoutineSpares({ ...common, most: options.routines });
    this.#spares.fill();
  }

  /** Settles when the first spare is ready, or has turned out not to get so. */
  get warm(): Promise<void> {
    return this.#spares.settled;
  }

  leases(): LeaseRef[] {
    return [...this.#running.values()].map(({ offer }) => offer.lease);
  }

  /** Starts the work of an offer, unless it is in hand, there is no room, or no more is taken. */
  take(offer: Offer): Answer {
    const key = keyOf(offer.lease);
    if (this.#running.has(key)) return "taken";
    if (this.#isDraining) return "draining";
    if (this.#running.size >= this.#options.capacity) return "full";
    const work: Work = {
      offer,
      takenAt: performance.now(),
      isStopped: false,
      executor: null,
      done: Promise.resolve(),
    };
    this.#running.set(key, work);
    const routine = ownerKeyOf(offer.lease.run_id);
    if (routine !== null) this.#routines.cameFor(routine);
    work.done = this.#carryOut(work, key);
    return "taken";
  }

  stop(lease: LeaseRef): void {
    const work = this.#running.get(keyOf(lease));
    if (work === undefined) this.#options.onEnded(lease);
    else stopWork(work);
  }

  /** Ends the work of a lease by force: it was told to stop, and has not. */
  kill(lease: LeaseRef): void {
    const work = this.#running.get(keyOf(lease));
    this.stop(lease);
    work?.executor?.kill();
  }

  /** Takes no more; settles when what is in hand has come to its end. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const all = [...this.#running.values()];
    await Promise.all([this.#spares.close(), this.#routines.close(), ...all.map(({ done }) => done)]);
  }

  /** Stops all and takes no more; settles when all are gone, or when what does not end is left to the runner's next start. */
  async stopAll(): Promise<void> {
    for (const work of this.#running.values()) stopWork(work);
    await within(STOP_DEADLINE_MS, this.drain(), undefined);
    for (const { offer, executor } of this.#running.values()) {
      this.#options.log("left_behind", { ...offer.lease, executor: executor?.name }, "warn");
    }
  }

  async #carryOut(work: Work, key: string): Promise<void> {
    const { log, onEnded } = this.#options;
    const executor = await this.#seeThrough(work);
    this.#running.delete(key);
    const { lease } = work.offer;
    const ms = Math.round(performance.now() - work.takenAt);
    log("lease_ended", { ...lease, executor: executor.name, outcome: executor.outcome, ms });
    onEnded(lease);
    this.#fill();
    // Only now: a workspace can hold so many files that the pool would give the whole runner up meanwhile.
    await executor.clear();
  }

  /** Has an executor do the work. @returns it when it is gone. */
  async #seeThrough(work: Work): Promise<Executor> {
    for (;;) {
      const spare = this.#routines.take(ownerKeyOf(work.offer.lease.run_id)) ?? this.#spares.take();
      const executor = spare ?? this.#start();
      work.executor = executor;
      executor.give(work.offer);
      this.#fill();
      const watch = setTimeout(() => {
        if (spare !== null && !executor.has("begun")) executor.kill();
      }, BEGIN_DEADLINE_MS);
      await executor.gone;
      clearTimeout(watch);
      if (spare === null || executor.has("begun") || work.isStopped) return executor;
      // It had died unseen, or was stuck, and has touched nothing of the lease: another begins.
      const facts = { ...work.offer.lease, executor: executor.name, outcome: executor.outcome };
      this.#options.log("spare_lost", facts, "warn");
      void executor.clear();
    }
  }

  #start(): Executor {
    const name = `executor-${randomBytes(NAME_BYTES).toString("hex")}`;
    return this.#options.start({
      name,
      onNews: () => this.#fill(),
      onShape: (shape) => {
        this.#expected.add(shape);
        const { likely } = this.#expected;
        this.#spares.expect(likely === null ? null : { shape: likely, copy: null });
      },
      onRoutine: (expected) => {
        const work = [...this.#running.values()].find(({ executor }) => executor?.name === name);
        const routine = work === undefined ? null : ownerKeyOf(work.offer.lease.run_id);
        if (routine !== null) this.#routines.expect(routine, expected);
      },
    });
  }

  #fill(): void {
    this.#spares.fill();
    this.#routines.fill();
  }

  #startingSinceMs(): number | null {
    const starting = [...this.#running.values()].filter(({ executor }) => executor?.has("started") !== true);
    return starting.length === 0 ? null : Math.max(...starting.map(({ takenAt }) => takenAt));
  }
}

function stopWork(work: Work): void {
  work.isStopped = true;
  work.executor?.stop();
}

function keyOf({ run_id, generation }: LeaseRef): string {
  return `${run_id}.${generation}`;
}
