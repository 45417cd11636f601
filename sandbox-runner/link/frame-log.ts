/**
 * The frames of an attempt: numbered from 1, kept until acknowledged, handed out in batches. Deltas are sent in
 * their place among the frames, and are not kept: where they can't be sent, they are dropped.
 */
import { FRAME_WINDOW, type Frame, type FrameBody, type RunnerToRun } from "#protocol/runner-link.ts";
import type { Delta } from "#protocol/transcript.ts";

const BATCH_FRAMES = 64;
const BATCH_BYTES = 131_072;
/** What may wait for acknowledgement before the agent is made to wait. */
const WINDOW_BYTES = 16_777_216;
const DELTA_LIMIT = 65_536;

interface KeptFrame {
  n: number;
  /** As it is sent. */
  text: string;
  bytes: number;
}

export class FrameLog {
  /** Unacknowledged, in order. */
  #kept: KeptFrame[] = [];
  #keptBytes = 0;
  #last = 0;
  /** The last frame that was handed out on the present connection. */
  #sent = 0;
  #deltas: { after: number; delta: Delta }[] = [];

  append(body: FrameBody): void {
    this.#last += 1;
    const frame: Frame = { n: this.#last, body };
    const text = JSON.stringify(frame);
    const bytes = Buffer.byteLength(text);
    this.#kept.push({ n: frame.n, text, bytes });
    this.#keptBytes += bytes;
  }

  /** Adds a live piece of text after the frames so far; neighbours of one message are joined. */
  addDelta(delta: Delta): void {
    const last = this.#deltas.at(-1);
    const joins =
      last !== undefined &&
      last.after === this.#last &&
      last.delta.message_id === delta.message_id &&
      last.delta.kind === delta.kind &&
      last.delta.text.length + delta.text.length <= DELTA_LIMIT;
    if (joins) last.delta = { ...delta, text: last.delta.text + delta.text };
    else this.#deltas.push({ after: this.#last, delta: { ...delta, text: delta.text.slice(0, DELTA_LIMIT) } });
  }

  dropDeltas(): void {
    this.#deltas = [];
  }

  /** Frames up to `n` are stored at the other side. */
  acknowledge(n: number): void {
    while (this.#kept[0] !== undefined && this.#kept[0].n <= n) {
      this.#keptBytes -= this.#kept[0].bytes;
      this.#kept.shift();
    }
    this.#sent = Math.max(this.#sent, Math.min(n, this.#last));
  }

  /** The other side has the frames up to `n`, and needs what comes after them again. */
  resendAfter(n: number): void {
    this.acknowledge(n);
    this.#sent = Math.min(n, this.#last);
  }

  /** True while the agent must wait. */
  get full(): boolean {
    return this.#kept.length >= FRAME_WINDOW || this.#keptBytes >= WINDOW_BYTES;
  }

  /** True when every frame is stored at the other side. */
  get settled(): boolean {
    return this.#kept.length === 0;
  }

  /** Whether what waits to be handed out fills a message. */
  get isMuch(): boolean {
    return this.#last - this.#sent >= BATCH_FRAMES;
  }

  /** The next message to send, as JSON of a `RunnerToRun`; null when all has been handed out. */
  next(): string | null {
    const delta = this.#deltas[0];
    if (delta !== undefined && delta.after <= this.#sent) {
      this.#deltas.shift();
      return JSON.stringify({ type: "delta", delta: delta.delta } satisfies RunnerToRun);
    }
    const first = this.#kept[0]?.n ?? this.#last + 1;
    const until = delta?.after ?? this.#last;
    const frames: string[] = [];
    let bytes = 0;
    let last = this.#sent;
    for (let index = this.#sent + 1 - first; frames.length < BATCH_FRAMES; index += 1) {
      const kept = this.#kept[index];
      if (kept === undefined || kept.n > until) break;
      if (frames.length > 0 && bytes + kept.bytes > BATCH_BYTES) break;
      frames.push(kept.text);
      bytes += kept.bytes;
      last = kept.n;
    }
    if (frames.length === 0) return null;
    this.#sent = last;
    return `{"type":"frames","frames":[${frames.join(",")}]}`;
  }
}
