/**
 * Counts requests that could not be verified, and writes the counts to D1 together: sending such requests costs nothing, so
 * each of them must not cost a write.
 */
import { logTrouble } from "#protocol/log.ts";
import type { FailureCount } from "../store/delivery-lists.ts";

/** The time from a failure to the write of its count, while few come. */
const GATHER_MS = 20;
/** While many come, that time doubles with each write up to this. The platform ends whatever waits for half a minute. */
const LONGEST_GATHER_MS = 10_000;
/** When a write is this late, the request that was to make it has been cut off, and another one makes it. */
const GRACE_MS = 5_000;
/** How many pairs of endpoint and reason are counted apart; further ones are counted for their source alone. */
const HELD_APART = 500;

type Failure = Omit<FailureCount, "count">;

export interface FailureTallyParts {
  /** Adds to the counts that are stored, in one statement. */
  write(counts: readonly FailureCount[]): Promise<void>;
  pause(ms: number): Promise<void>;
  now(): number;
}

/** What one isolate has counted. It is lost with the isolate, which is at most what came since the last write. */
export class FailureTally {
  readonly #parts: FailureTallyParts;
  #held = new Map<string, FailureCount>();
  #gatherMs = GATHER_MS;
  #writtenAtMs = 0;
  /** Until when a request is expected to write the counts; 0 when none is. */
  #awaitedUntilMs = 0;

  constructor(parts: FailureTallyParts) {
    this.#parts = parts;
  }

  /** @param alive keeps the write going after the answer. */
  count(failure: Failure, alive: Pick<ExecutionContext, "waitUntil">): void {
    this.#add({ ...failure, count: 1 });
    const nowMs = this.#parts.now();
    if (nowMs < this.#awaitedUntilMs) return;
    // No failures have come for as long as the last wait: the next write comes soon again.
    if (nowMs - this.#writtenAtMs >= this.#gatherMs) this.#gatherMs = GATHER_MS;
    this.#awaitedUntilMs = nowMs + this.#gatherMs + GRACE_MS;
    alive.waitUntil(this.#writeLater());
  }

  /** Writes what has been counted. Never rejects: what can't be written is kept for the next time. */
  async flush(): Promise<void> {
    const counts = [...this.#held.values()];
    if (counts.length === 0) return;
    this.#held = new Map();
    try {
      await this.#parts.write(counts);
    } catch (error) {
      logTrouble("refusals_not_counted", {}, error);
      for (const one of counts) this.#add(one);
    }
  }

  async #writeLater(): Promise<void> {
    await this.#parts.pause(this.#gatherMs);
    this.#awaitedUntilMs = 0;
    const gathered = [...this.#held.values()].reduce((sum, { count }) => sum + count, 0);
    this.#gatherMs = gathered > 1 ? Math.min(2 * this.#gatherMs, LONGEST_GATHER_MS) : GATHER_MS;
    this.#writtenAtMs = this.#parts.now();
    await this.flush();
  }

  #add({ day, source, trigger_id, failure, count }: FailureCount): void {
    const apart = `${day} ${source} ${trigger_id} ${failure}`;
    const isApart = this.#held.has(apart) || this.#held.size < HELD_APART;
    const key = isApart ? apart : `${day} ${source} null ${failure}`;
    const before = this.#held.get(key)?.count ?? 0;
    this.#held.set(key, { day, source, trigger_id: isApart ? trigger_id : null, failure, count: before + count });
  }
}
