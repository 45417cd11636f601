/** The body of a request whose beginning is read before it is decided what becomes of the whole. */
import { ByteQueue } from "./byte-queue.ts";

/** So much is read of a body that nobody wants any more, so that its sender gets to read why. */
const DRAINED_BYTES = 67_108_864;

export class HeldBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #read = new ByteQueue();
  #sending: { done: Promise<void>; stop: () => void } | null = null;

  constructor(source: ReadableStream<Uint8Array>) {
    this.#reader = source.getReader();
  }

  /** What has been read so far, from the first byte on. Good until more is read. */
  bytes(): Uint8Array {
    return this.#read.view();
  }

  /** Reads on. @returns false at the end. */
  async more(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done) return false;
    this.#read.push(value);
    return true;
  }

  /** @returns all of it, from the first byte on, when that is no more than so many bytes; else null. */
  async whole(limit: number): Promise<Uint8Array<ArrayBuffer> | null> {
    while (this.bytes().length <= limit) if (!(await this.more())) return this.bytes().slice();
    return null;
  }

  /**
   * Sends the whole of it on, from its first byte, through a stream whose other end is read elsewhere. Where nobody reads on
   * there, the rest is read and thrown away, up to a bound: who is sending it reads an answer only then. Never rejects.
   * @param onProgress called whenever a piece has been taken.
   */
  send(into: WritableStream<Uint8Array>, onProgress: () => void = () => {}): Promise<void> {
    const writer = into.getWriter();
    const done = this.#send(writer, onProgress);
    this.#sending = { done, stop: () => void writer.abort().catch(() => {}) };
    return done;
  }

  /** Nobody wants it any more: what is left of it is read, up to a bound, and thrown away. Never rejects. */
  async drained(): Promise<void> {
    this.#sending?.stop();
    await (this.#sending?.done ?? this.drain(DRAINED_BYTES));
  }

  async #send(writer: WritableStreamDefaultWriter<Uint8Array>, onProgress: () => void): Promise<void> {
    try {
      await writer.write(this.bytes().slice());
      onProgress();
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        await writer.write(value);
        onProgress();
      }
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => {});
      await this.drain(DRAINED_BYTES);
    }
  }

  /** Reads to the end and throws away: who is still sending is ready to read an answer only then. Never rejects. */
  async drain(limit = Number.POSITIVE_INFINITY): Promise<void> {
    try {
      for (let length = 0; length <= limit; ) {
        const { done, value } = await this.#reader.read();
        if (done) return;
        length += value.length;
      }
    } catch {
      // The sender has gone away, and needs no answer.
    }
    await this.cancel();
  }

  /** Cancels the body: nothing more of it is read. Never rejects. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}
