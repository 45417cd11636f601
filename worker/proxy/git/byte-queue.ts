/**
 * Bytes that have come and are not used up yet, as one array. However small the pieces in which they come, each byte is
 * copied a bounded number of times.
 */
export class ByteQueue {
  #buffer = new Uint8Array(1_024);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** What is there. Good until the next call of `push` or `drop`. */
  view(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** The first bytes are used up. */
  drop(count: number): void {
    this.#start = Math.min(this.#start + count, this.#end);
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  #makeRoom(more: number): void {
    const kept = this.view();
    // Twice what is needed, so that as many bytes can come again before the next copy.
    const roomy = kept.length + more > this.#buffer.length / 2;
    const buffer = roomy ? new Uint8Array(2 * (kept.length + more)) : this.#buffer;
    buffer.set(kept);
    this.#buffer = buffer;
    this.#end = kept.length;
    this.#start = 0;
  }
}
