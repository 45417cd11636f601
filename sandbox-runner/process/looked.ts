/** Looks for words in the bytes that go through. */
import { Transform, type TransformCallback } from "node:stream";

const LONGEST_WORD = 200;

export class Looked extends Transform {
  readonly #words: readonly string[];
  readonly #onFound: (word: string) => void;
  /** The end of what has gone through: a word may go on in the next piece. */
  #end = "";

  /** @param words of ASCII alone. @param onFound may be told of one more than once. */
  constructor(words: readonly string[], onFound: (word: string) => void) {
    super();
    this.#words = words;
    this.#onFound = onFound;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const text = this.#end + chunk.toString("latin1");
    for (const word of this.#words) if (text.includes(word)) this.#onFound(word);
    this.#end = text.slice(-LONGEST_WORD);
    done(null, chunk);
  }
}
