/** Has code read by a worker, one text after the other. What can't be read soon stays plain. */
import type { Language } from "./languages.ts";
import type { Token } from "./tokens.ts";
import type { Asked } from "./worker.ts";

/** Longer code is not read. */
const MOST_CHARACTERS = 30_000;
/** Patterns can take for ever on text that is made for it. */
const DEADLINE_MS = 2_000;
/** Rows come and go as one scrolls: what was read last is kept. */
const MOST_KEPT = 200;

type Reader = Pick<Worker, "postMessage" | "terminate" | "onmessage" | "onerror">;

export class Highlighter {
  readonly #start: () => Reader;
  readonly #kept = new Map<string, readonly Token[] | null>();
  #worker: Reader | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** @param start begins a worker that answers each `Asked` with its tokens, in order. */
  constructor(start: () => Reader) {
    this.#start = start;
  }

  /** What is known already: undefined where it would have to be read. */
  known(text: string, language: Language): readonly Token[] | null | undefined {
    return text.length > MOST_CHARACTERS ? null : this.#kept.get(`${language}\n${text}`);
  }

  /** @returns pieces that together are the text; null where it stays plain. */
  read(text: string, language: Language): Promise<readonly Token[] | null> {
    const reading = this.#last.then(async () => {
      const known = this.known(text, language);
      if (known !== undefined) return known;
      const tokens = await this.#readNow({ text, language });
      this.#keep(`${language}\n${text}`, tokens);
      return tokens;
    });
    this.#last = reading;
    return reading;
  }

  async #readNow(asked: Asked): Promise<readonly Token[] | null> {
    const { promise, resolve } = Promise.withResolvers<readonly Token[] | null>();
    const deadline = setTimeout(() => resolve(null), DEADLINE_MS);
    this.#worker ??= this.#start();
    this.#worker.onmessage = ({ data }: MessageEvent<Token[]>) => resolve(data);
    this.#worker.onerror = () => resolve(null);
    this.#worker.postMessage(asked);
    const tokens = await promise;
    clearTimeout(deadline);
    if (tokens === null) {
      this.#worker.terminate();
      this.#worker = null;
      return null;
    }
    // Colours never change what is read.
    return tokens.map(({ text }) => text).join("") === asked.text ? tokens : null;
  }

  #keep(key: string, tokens: readonly Token[] | null): void {
    this.#kept.set(key, tokens);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}
