/**
 * Spare executors: processes that have done everything which needs no lease (programs loaded, folder made, relay
 * listening, sandbox opened and tried) and wait for one. Each works for one lease at most.
 */

import { type Expected, expectedKey } from "../prepared/start-shape.ts";
import type { Log } from "../process/log.ts";
import type { Executor } from "./executor.ts";
import { isYielding, nextPreparation } from "./spare-rules.ts";

export interface SparesOptions {
  count: number;
  /** How many of them have an agent prepared. */
  agents: number;
  log: Log;
  start(): Executor;
  /** See `SpareState`. */
  startingSinceMs(): number | null;
}

/** A spare that is not ready by then is thrown away. */
const READY_DEADLINE_MS = 60_000;

export class Spares {
  readonly #options: SparesOptions;
  readonly #kept = new Set<Executor>();
  /** Those of them that have been told for which runs to prepare an agent. */
  readonly #told = new Map<Executor, Expected | null>();
  #expected: Expected | null = null;
  readonly #ending = new Set<Promise<void>>();
  readonly #settled = Promise.withResolvers<void>();
  #losses = 0;
  #lostAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: SparesOptions) {
    this.#options = options;
    if (options.count === 0) this.#settled.resolve();
  }

  /** Settles when the first one is ready, or has turned out not to get so. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Takes one for a lease: one that has an agent, else one that is ready, else one that soon will be. */
  take(): Executor | null {
    const all = [...this.#kept];
    const spare = all.find((one) => one.has("agent")) ?? all.find((one) => one.has("ready")) ?? all[0] ?? null;
    if (spare !== null) this.#forget(spare);
    return spare;
  }

  /** Whether an agent waits in one of them. */
  get hasAgent(): boolean {
    return [...this.#kept].some((one) => one.has("agent"));
  }

  /** For which runs one of them can't have an agent, which may not be those that are expected by now; undefined where none has said so. */
  get unfitFor(): Expected | null | undefined {
    const unfit = [...this.#kept].find((one) => one.has("unfit"));
    return unfit === undefined ? undefined : (this.#told.get(unfit) ?? null);
  }

  /** Has agents prepared for such runs from now on; null for none. */
  expect(expected: Expected | null): void {
    this.#expected = expected;
    this.#tell();
  }

  /** Prepares what is missing, now or as soon as it may. To be called whenever something has changed. */
  fill(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const all = [...this.#kept];
    const isReady = all.some((one) => one.has("ready"));
    this.#tell();
    if (isReady) this.#losses = 0;
    if (isReady || this.#losses > 0) this.#settled.resolve();
    const at = nextPreparation({
      wanted: this.#options.count,
      kept: all.length,
      isPreparing: all.some((one) => !one.has("ready")),
      losses: this.#losses,
      lostAtMs: this.#lostAtMs,
      startingSinceMs: this.#options.startingSinceMs(),
    });
    if (at === null) return;
    const waitMs = at - performance.now();
    if (waitMs <= 0) this.#prepare();
    else this.#timer = setTimeout(() => this.fill(), waitMs);
  }

  /** Ends all, and prepares no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const spare of this.#kept) spare.stop();
    await Promise.all(this.#ending);
  }

  /** Those that are ready, as many as are to have an agent, learn for which runs: when it has changed, and no run is starting. */
  #tell(): void {
    if (this.#isClosed || isYielding(this.#options.startingSinceMs(), performance.now())) return;
    const expected = this.#expected;
    for (const spare of [...this.#kept].filter((one) => one.has("ready")).slice(0, this.#options.agents)) {
      if (expectedKey(this.#told.get(spare) ?? null) === expectedKey(expected)) continue;
      this.#told.set(spare, expected);
      spare.expect(expected);
    }
  }

  #forget(spare: Executor): boolean {
    this.#told.delete(spare);
    return this.#kept.delete(spare);
  }

  #prepare(): void {
    const spare = this.#options.start();
    this.#kept.add(spare);
    const deadline = setTimeout(() => {
      if (this.#kept.has(spare) && !spare.has("ready")) spare.kill();
    }, READY_DEADLINE_MS);
    const ending = spare.gone.then(async () => {
      clearTimeout(deadline);
      // One that was taken is its lease's business.
      if (this.#forget(spare)) await this.#lose(spare);
      this.#ending.delete(ending);
    });
    this.#ending.add(ending);
  }

  async #lose(spare: Executor): Promise<void> {
    if (!this.#isClosed) {
      this.#options.log("spare_lost", { executor: spare.name, outcome: spare.outcome }, "warn");
      this.#losses += 1;
      this.#lostAtMs = performance.now();
      this.fill();
    }
    await spare.clear();
  }
}
