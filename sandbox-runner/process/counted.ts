/** Counts and hashes the bytes that go through, and breaks off at a limit. */
import { createHash } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";

export class Counted extends Transform {
  readonly #limit: number;
  readonly #hash = createHash("sha256");
  bytes = 0;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    if (this.bytes > this.#limit) done(new Error(`it is larger than ${this.#limit / 1_024 ** 2} MiB`));
    else done(null, chunk);
  }

  /** Of all that has gone through; can be asked once. */
  sha256(): string {
    return this.#hash.digest("hex");
  }
}
