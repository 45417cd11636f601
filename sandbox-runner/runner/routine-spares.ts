/**
 * Spare executors for routines that fire often, each with an agent in a copy of its routine's repository. One is given to runs of its
 * own routine alone: an id tells of which routine it is.
 */
import { type Expected, expectedKey } from "../prepared/start-shape.ts";
import type { Executor } from "./executor.ts";
import { lately, nextForgotten, routinesToKeep } from "./routine-rules.ts";
import { Spares, type SparesOptions } from "./spares.ts";

export interface RoutineSparesOptions extends Pick<SparesOptions, "log" | "start" | "startingSinceMs"> {
  /** How many routines have a spare at most. */
  most: number;
}

interface Routine {
  cameAtMs: number[];
  /** What its latest run could have been prepared for; null for nothing. */
  expected: Expected | null;
  /** For which expectation no agent could be prepared, as a key, and since when that is known. */
  unfit: { key: string; atMs: number } | null;
  spares: Spares | null;
}

/** So long nothing is tried again that could not be prepared: what was kept of its clones may have been gone, and be there again. */
const UNFIT_MS = 3_600_000;
/** So many runs of a routine are remembered: more of them make no difference. */
const MOST_RUNS = 100;

export class RoutineSpares {
  readonly #options: RoutineSparesOptions;
  readonly #routines = new Map<string, Routine>();
  readonly #closing = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RoutineSparesOptions) {
    this.#options = options;
  }

  /** A run of this routine has come. */
  cameFor(routine: string): void {
    if (this.#options.most === 0) return;
    const known = this.#routines.get(routine) ?? { cameAtMs: [], expected: null, unfit: null, spares: null };
    known.cameAtMs = [...known.cameAtMs, performance.now()].slice(-MOST_RUNS);
    this.#routines.set(routine, known);
  }

  /** Runs of this routine are as this from now on; null for such that no agent can be prepared for. */
  expect(routine: string, expected: Expected | null): void {
    const known = this.#routines.get(routine);
    if (known === undefined) return;
    known.expected = expected;
    this.fill();
  }

  /** Takes the one of a routine, once its agent waits; null when there is none. */
  take(routine: string | null): Executor | null {
    const spares = routine === null ? null : (this.#routines.get(routine)?.spares ?? null);
    return spares?.hasAgent === true ? spares.take() : null;
  }

  /** Prepares what is missing, and ends what is not wanted any more. To be called whenever something has changed. */
  fill(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const nowMs = performance.now();
    for (const known of this.#routines.values()) {
      known.cameAtMs = lately(known.cameAtMs, nowMs);
      const unfitFor = known.spares?.unfitFor;
      if (unfitFor === undefined) continue;
      known.unfit = { key: expectedKey(unfitFor), atMs: nowMs };
      this.#drop(known);
    }
    const all = [...this.#routines].map(([routine, known]) => ({
      ...{ routine, cameAtMs: known.cameAtMs },
      isPreparable: isPreparable(known, nowMs),
      isKept: known.spares !== null,
    }));
    const kept = new Set(routinesToKeep(all, this.#options.most, nowMs));
    for (const [routine, known] of this.#routines) {
      if (kept.has(routine)) this.#keep(known);
      else this.#drop(known);
      if (known.cameAtMs.length === 0) this.#routines.delete(routine);
    }
    const at = nextForgotten(all);
    if (at !== null) this.#timer = setTimeout(() => this.fill(), Math.max(0, at - nowMs));
  }

  /** Ends all, and prepares no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const known of this.#routines.values()) this.#drop(known);
    await Promise.all(this.#closing);
  }

  #keep(known: Routine): void {
    const { log, start, startingSinceMs } = this.#options;
    known.spares ??= new Spares({ count: 1, agents: 1, log, start, startingSinceMs });
    known.spares.expect(known.expected);
    known.spares.fill();
  }

  #drop(known: Routine): void {
    if (known.spares === null) return;
    const closing = known.spares.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    known.spares = null;
  }
}

function isPreparable({ expected, unfit }: Routine, nowMs: number): boolean {
  if (expected === null) return false;
  return unfit === null || unfit.key !== expectedKey(expected) || nowMs - unfit.atMs >= UNFIT_MS;
}
