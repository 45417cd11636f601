/** The body of a request whose beginning is read before it is decided what becomes of the whole. */
import { ByteQueue } from "./byte-queue.ts";

export class HeldBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #read = new ByteQueue();

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

  /**
   * Sends the whole of it on, from its first byte, through a stream whose other end is read elsewhere. Never rejects.
   * @param onProgress called whenever a piece has been taken.
   */
  async send(into: WritableStream<Uint8Array>, onProgress: () => void = () => {}): Promise<void> {
    const writer = into.getWriter();
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
      await this.#reader.cancel(error).catch(() => {});
      await writer.abort(error).catch(() => {});
    }
  }

  /** Reads to the end and throws away: who is still sending is ready to read an answer only then. Never rejects. */
  async drain(): Promise<void> {
    try {
      while (!(await this.#reader.read()).done);
    } catch {
      // The sender has gone away, and needs no answer.
    }
  }

  /** Cancels the body: nothing more of it is read. Never rejects. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}
