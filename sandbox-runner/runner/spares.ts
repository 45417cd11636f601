/**
 * Spare executors: processes that have done everything which needs no lease (programs loaded, folder made, relay
 * listening, sandbox opened and tried) and wait for one. Each works for one lease at most.
 */

import type { Log } from "../process/log.ts";
import type { Executor } from "./executor.ts";
import { nextPreparation } from "./spare-rules.ts";

export interface SparesOptions {
  count: number;
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

  /** Takes one for a lease: one that is ready, else one that soon will be. */
  take(): Executor | null {
    const all = [...this.#kept];
    const spare = all.find((one) => one.has("ready")) ?? all[0] ?? null;
    if (spare !== null) this.#kept.delete(spare);
    return spare;
  }

  /** Prepares what is missing, now or as soon as it may. To be called whenever something has changed. */
  fill(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const all = [...this.#kept];
    const isReady = all.some((one) => one.has("ready"));
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
    const waitMs = at - Date.now();
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

  #prepare(): void {
    const spare = this.#options.start();
    this.#kept.add(spare);
    const deadline = setTimeout(() => {
      if (this.#kept.has(spare) && !spare.has("ready")) spare.kill();
    }, READY_DEADLINE_MS);
    const ending = spare.gone.then(async () => {
      clearTimeout(deadline);
      // One that was taken is its lease's business.
      if (this.#kept.delete(spare)) await this.#lose(spare);
      this.#ending.delete(ending);
    });
    this.#ending.add(ending);
  }

  async #lose(spare: Executor): Promise<void> {
    if (!this.#isClosed) {
      this.#options.log("spare_lost", { executor: spare.name, outcome: spare.outcome }, "warn");
      this.#losses += 1;
      this.#lostAtMs = Date.now();
      this.fill();
    }
    await spare.clear();
  }
}
