/** Frames of the runs' runners: gathered for a moment, stored with one transaction for all runs, then acknowledged. */
import { errorText, logLine } from "#protocol/log.ts";
import { runError } from "#protocol/run-errors.ts";
import type { Frame, FrameBody, LeaseRef } from "#protocol/runner-link.ts";
import type { Work } from "../work.ts";
import { FLUSH_DELAY_MS, FrameBuffer, type PendingRun } from "./frame-buffer.ts";
import type { RunEngine } from "./run-engine.ts";

/** A flush that failed is tried again after this long, and this often. */
const FLUSH_RETRY_MS = 1_000;
const FLUSH_TRIES = 10;

/** How a run ends whose frames can't be stored. */
const UNSTORABLE: Extract<FrameBody, { kind: "finished" }> = {
  kind: "finished",
  outcome: { status: "failed", error: runError("finish_failed", "finish") },
  report: null,
  seen: { turns: 0, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
};

export interface FramesParts {
  engine: RunEngine;
  work: Work;
  /** Tells a runner up to which frame everything is stored. */
  acknowledge: (lease: LeaseRef, n: number) => void;
}

export class ReceiveFrames {
  readonly #parts: FramesParts;
  readonly #frames = new FrameBuffer();
  readonly #failedFlushes = new Map<string, number>();
  #flushTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: FramesParts) {
    this.#parts = parts;
  }

  /** Takes in frames of an attempt. @returns the frame after which some are missing, or null. */
  take(lease: LeaseRef, frames: readonly Frame[]): number | null {
    const { engine, acknowledge } = this.#parts;
    const row = engine.leased(lease);
    const lastStored = row === null ? 0 : engine.lastFrame(row);
    const missingAfter = this.#frames.add(lease, lastStored, frames);
    // A repeat of what is stored: its acknowledgement was lost with a socket.
    if (this.#frames.isEmpty && missingAfter === null) acknowledge(lease, lastStored);
    if (this.#frames.isUrgent) this.flush();
    else if (!this.#frames.isEmpty) this.#flushSoon(FLUSH_DELAY_MS);
    return missingAfter;
  }

  /** Whether frames of the lease have come that are not stored. */
  holds(lease: LeaseRef): boolean {
    return this.#frames.holds(lease);
  }

  /** Stores every frame that has come, of all runs, in one transaction; then acknowledges them. */
  flush(): void {
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    this.#flushTimer = null;
    const pending = this.#frames.pending();
    if (pending.length === 0) return;
    // One run whose frames can't be stored must not hold up the others.
    const left = this.#store(pending) ? [] : pending.filter((one) => !this.#store([one]));
    for (const { runId } of left) this.#postpone(runId);
  }

  /** Stores all of it or nothing. */
  #store(pending: readonly PendingRun[]): boolean {
    const { engine, work } = this.#parts;
    try {
      work.change((tx) => {
        for (const { runId, generation, frames } of pending) {
          const lease = { run_id: runId, generation };
          work.afterwards(tx, `stored:${runId}`, () => this.#acknowledge(lease, frames.at(-1)?.n ?? 0));
          for (const frame of frames) engine.takeFrame(tx, lease, frame);
        }
      });
    } catch (error) {
      logLine("error", { what: "flush", runs: pending.length, outcome: errorText(error) });
      return false;
    }
    return true;
  }

  #acknowledge(lease: LeaseRef, n: number): void {
    this.#frames.drop(lease.run_id);
    this.#failedFlushes.delete(lease.run_id);
    this.#parts.acknowledge(lease, n);
  }

  /** Frames that were not stored are tried again for a while; then the run ends, as nothing more can be said of it. */
  #postpone(runId: string): void {
    const { engine, work } = this.#parts;
    const tries = (this.#failedFlushes.get(runId) ?? 0) + 1;
    this.#failedFlushes.set(runId, tries);
    if (tries < FLUSH_TRIES) {
      this.#flushSoon(FLUSH_RETRY_MS);
      return;
    }
    this.#frames.drop(runId);
    this.#failedFlushes.delete(runId);
    try {
      work.change((tx) => void engine.feed(tx, runId, { type: "finished", frame: UNSTORABLE }));
    } catch (error) {
      logLine("error", { what: "give_up", run_id: runId, outcome: errorText(error) });
    }
  }

  #flushSoon(delayMs: number): void {
    this.#flushTimer ??= setTimeout(() => this.flush(), delayMs);
  }
}
