/** Frames of the runs' runners: gathered for a moment, stored with one transaction for all runs, then acknowledged. */
import { logTrouble } from "#protocol/log.ts";
import { runError } from "#protocol/run-errors.ts";
import type { Frame, FrameBody, LeaseRef } from "#protocol/runner-link.ts";
import type { LeaseEnd } from "#rules/run/inputs.ts";
import type { Work } from "../work.ts";
import { FrameBuffer, type PendingRun } from "./frame-buffer.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunSockets } from "./run-sockets.ts";
import type { RunRow } from "./run-store.ts";
import type { TakeFrames } from "./take-frames.ts";

/** Frames that could not be stored are tried again by themselves: after this long at first, and twice as long each time. */
const FIRST_RETRY_MS = 100;
/** A run whose frames could not be stored for this long is ended. */
const GIVEN_UP_AFTER_MS = 2_000;

/** How a run ends whose frames can't be stored. */
const UNSTORABLE: Extract<FrameBody, { kind: "finished" }> = {
  kind: "finished",
  outcome: { status: "failed", error: runError("finish_failed", "finish") },
  report: null,
  seen: { turns: 0, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
};

/** A run whose frames can't be stored. */
interface Broken {
  /** Since when, in Unix milliseconds. */
  sinceMs: number;
  tries: number;
  timer: ReturnType<typeof setTimeout> | null;
}

export class ReceiveFrames {
  readonly #engine: RunEngine;
  readonly #taken: TakeFrames;
  readonly #sockets: RunSockets;
  readonly #work: Work;
  readonly #frames = new FrameBuffer();
  readonly #broken = new Map<string, Broken>();
  #flushTimer: ReturnType<typeof setTimeout> | null = null;
  /**
   * When what was stored last, or was tried to be, had gone out, in Unix milliseconds; null while that is going on. To
   * hundreds of viewers it takes so long that all which comes meanwhile would seem to come after a pause.
   */
  #outSinceMs: number | null = 0;
  #outTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(engine: RunEngine, taken: TakeFrames, sockets: RunSockets, work: Work) {
    this.#engine = engine;
    this.#taken = taken;
    this.#sockets = sockets;
    this.#work = work;
  }

  /** Takes in frames of an attempt. @returns the frame after which some are missing, or null. */
  take(lease: LeaseRef, frames: readonly Frame[]): number | null {
    const row = this.#engine.leased(lease);
    const lastStored = row === null ? 0 : this.#taken.last(row);
    const missingAfter = this.#frames.add(lease, lastStored, frames);
    // A repeat of what is stored: its acknowledgement was lost with a socket.
    if (!this.#frames.holds(lease) && missingAfter === null) this.#sockets.acknowledge(lease, lastStored);
    const waitMs = this.#frames.isUrgent ? 0 : FrameBuffer.waitMs(this.#outSinceMs, Date.now());
    if (waitMs === 0) this.flush();
    else if (!this.#frames.isEmpty) this.#flushTimer ??= setTimeout(() => this.flush(), waitMs);
    return missingAfter;
  }

  /** The last frame of the run's present attempt that is stored. */
  last(row: RunRow): number {
    return this.#taken.last(row);
  }

  /** @throws Error while the lease's last frames can't be stored: they say how the attempt ended, so it is told again. */
  endLease(lease: LeaseRef, end: LeaseEnd): void {
    this.flush();
    if (this.#frames.holds(lease)) throw new Error("the attempt's frames are not stored yet");
    this.#work.change((tx) => {
      const row = this.#engine.leased(lease);
      if (row === null) return;
      this.#engine.feed(tx, row.id, { type: "lease_ended", end, isUnheard: this.#taken.isUnheard(row) });
    });
  }

  /** Stores every frame that has come in one transaction, but for those of runs that are broken; then acknowledges them. */
  flush(): void {
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    this.#flushTimer = null;
    const pending = this.#frames.pending();
    if (pending.length === 0) return;
    this.#goOut();
    if (this.#store(pending)) return;
    // One run whose frames can't be stored must not hold up the others.
    for (const one of pending) if (!this.#store([one])) this.#setAside(one.runId);
  }

  /** What is stored now goes out in this turn of the object's event loop; the timer's comes after it. */
  #goOut(): void {
    if (this.#outTimer !== null) clearTimeout(this.#outTimer);
    this.#outSinceMs = null;
    this.#outTimer = setTimeout(() => {
      this.#outTimer = null;
      this.#outSinceMs = Date.now();
    });
  }

  /** Stores all of it or nothing. */
  #store(pending: readonly PendingRun[]): boolean {
    try {
      this.#work.change((tx) => {
        for (const { runId, generation, frames } of pending) {
          const lease = { run_id: runId, generation };
          this.#work.afterwards(tx, `stored:${runId}`, () => this.#stored(lease, frames.at(-1)?.n ?? 0));
          for (const frame of frames) this.#taken.take(tx, lease, frame);
        }
      });
    } catch (error) {
      // Of several, each is tried alone next.
      const [first, ...others] = pending;
      if (first !== undefined && others.length === 0) {
        logTrouble("frames_not_stored", { run_id: first.runId, generation: first.generation }, error);
      }
      return false;
    }
    return true;
  }

  #stored(lease: LeaseRef, n: number): void {
    this.#drop(lease.run_id);
    this.#sockets.acknowledge(lease, n);
  }

  #drop(runId: string): void {
    const timer = this.#broken.get(runId)?.timer ?? null;
    if (timer !== null) clearTimeout(timer);
    this.#frames.drop(runId);
    this.#broken.delete(runId);
  }

  /** Tries the run's frames again for a while; then the run ends, because nothing of it can be recorded. */
  #setAside(runId: string): void {
    this.#frames.setAside(runId);
    const nowMs = Date.now();
    const broken = this.#broken.get(runId) ?? { sinceMs: nowMs, tries: 0, timer: null };
    const leftMs = broken.sinceMs + GIVEN_UP_AFTER_MS - nowMs;
    if (leftMs <= 0) {
      this.#giveUp(runId);
      return;
    }
    const delayMs = Math.min(leftMs, FIRST_RETRY_MS * 2 ** broken.tries);
    const timer = setTimeout(() => this.#retry(runId), delayMs);
    this.#broken.set(runId, { ...broken, tries: broken.tries + 1, timer });
  }

  #retry(runId: string): void {
    const pending = this.#frames.of(runId);
    if (pending !== null && !this.#store([pending])) this.#setAside(runId);
  }

  #giveUp(runId: string): void {
    this.#drop(runId);
    try {
      this.#work.change((tx) => void this.#engine.feed(tx, runId, { type: "finished", frame: UNSTORABLE }));
    } catch (error) {
      logTrouble("run_not_given_up", { run_id: runId }, error);
    }
  }
}
