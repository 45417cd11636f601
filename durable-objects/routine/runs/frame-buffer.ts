/** Frames that have come and are not stored yet, of all runs of the object: one flush stores them all. Pure. */
import type { Frame } from "#protocol/runner-link.ts";

/** A flush does not wait longer than this for more frames. */
export const FLUSH_DELAY_MS = 40;
/** Nor does it wait when this many frames are there. */
const FLUSH_FRAMES = 128;

export interface PendingRun {
  runId: string;
  generation: number;
  frames: Frame[];
}

export class FrameBuffer {
  readonly #pending = new Map<string, PendingRun>();
  #count = 0;

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
      this.#count += 1;
    }
    return null;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether storing should not wait for more: there is much, or an attempt has ended. */
  get isUrgent(): boolean {
    if (this.#count >= FLUSH_FRAMES) return true;
    return [...this.#pending.values()].some(({ frames }) => frames.at(-1)?.body.kind === "finished");
  }

  /** What is waiting; the buffer keeps it until `drop`, so that a failed flush loses nothing. */
  pending(): PendingRun[] {
    return [...this.#pending.values()].filter(({ frames }) => frames.length > 0);
  }

  holds(lease: { run_id: string; generation: number }): boolean {
    const pending = this.#pending.get(lease.run_id);
    return pending?.generation === lease.generation && pending.frames.length > 0;
  }

  drop(runId: string): void {
    this.#count -= this.#pending.get(runId)?.frames.length ?? 0;
    this.#pending.delete(runId);
  }

  #pendingOf(runId: string, generation: number): PendingRun {
    const before = this.#pending.get(runId);
    if (before?.generation === generation) return before;
    const fresh = { runId, generation, frames: [] };
    this.#pending.set(runId, fresh);
    this.#count -= before?.frames.length ?? 0;
    return fresh;
  }
}
