/** Frames that have come and are not stored yet, of all runs of the object: one flush stores them all. Pure. */
import type { Frame } from "#protocol/runner-link.ts";

/** What comes this long after what was stored last had gone out is stored at once; what comes sooner waits until then for more. */
const FLUSH_DELAY_MS = 40;
/** Nor does it wait when this many frames are there. */
const FLUSH_FRAMES = 128;

export interface PendingRun {
  runId: string;
  generation: number;
  frames: Frame[];
  /** The run's frames could not be stored: they are tried apart from others, and a flush leaves them out. */
  isAside: boolean;
}

export class FrameBuffer {
  readonly #pending = new Map<string, PendingRun>();

  /**
   * Takes in frames in their order; repeats are dropped.
   * @param lastStored the last frame of this attempt that is stored.
   * @returns the frame after which the runner has to send again, or null when nothing is missing.
   */
  add(lease: { run_id: string; generation: number }, lastStored: number, frames: readonly Frame[]): number | null {
    const pending = this.#pendingOf(lease.run_id, lease.generation);
    for (const frame of frames) {
      const last = pending.frames.at(-1)?.n ?? lastStored;
      if (frame.n <= last) continue;
      if (frame.n > last + 1) return last;
      pending.frames.push(frame);
    }
    return null;
  }

  /** Whether there is nothing to flush. */
  get isEmpty(): boolean {
    return this.pending().length === 0;
  }

  /** Whether storing should not wait for more: there is much, or an attempt has ended. */
  get isUrgent(): boolean {
    const pending = this.pending();
    const count = pending.reduce((sum, { frames }) => sum + frames.length, 0);
    return count >= FLUSH_FRAMES || pending.some(({ frames }) => isAwaited(frames.at(-1)));
  }

  /**
   * How long storing what is there may wait for more, in milliseconds.
   * @param outSinceMs when what was stored last had gone out, in Unix milliseconds; null while that is going on.
   */
  static waitMs(outSinceMs: number | null, nowMs: number): number {
    if (outSinceMs === null) return FLUSH_DELAY_MS;
    // A clock that was set back must hold nothing up.
    return Math.min(FLUSH_DELAY_MS, Math.max(0, outSinceMs + FLUSH_DELAY_MS - nowMs));
  }

  /** What a flush takes; the buffer keeps it until `drop`, so that a failed flush loses nothing. */
  pending(): PendingRun[] {
    return [...this.#pending.values()].filter(({ frames, isAside }) => frames.length > 0 && !isAside);
  }

  /** What waits of one run, also when it is set aside. */
  of(runId: string): PendingRun | null {
    return this.#pending.get(runId) ?? null;
  }

  /** A run's frames could not be stored. */
  setAside(runId: string): void {
    const pending = this.#pending.get(runId);
    if (pending !== undefined) pending.isAside = true;
  }

  holds(lease: { run_id: string; generation: number }): boolean {
    const pending = this.#pending.get(lease.run_id);
    return pending?.generation === lease.generation && pending.frames.length > 0;
  }

  drop(runId: string): void {
    this.#pending.delete(runId);
  }

  #pendingOf(runId: string, generation: number): PendingRun {
    const before = this.#pending.get(runId);
    if (before?.generation === generation) return before;
    const fresh = { runId, generation, frames: [], isAside: false };
    this.#pending.set(runId, fresh);
    return fresh;
  }
}

/** Whether the runner waits for what follows from it. */
function isAwaited(frame: Frame | undefined): boolean {
  return frame?.body.kind === "finished" || frame?.body.kind === "idle";
}
