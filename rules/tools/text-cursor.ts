/** A line whose last backslash is not itself escaped. */
const JOINING = /(?<!\\)(?:\\\\)*\\$/;

/** A place in a text that is read from its beginning to its end. Pure. */
export class TextCursor {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The character that comes next; empty at the end. */
  get next(): string {
    return this.#text[this.at] ?? "";
  }
  get isAtEnd(): boolean {
    return this.at >= this.#text.length;
  }

  /** What has been read since a place. */
  since(from: number): string {
    return this.#text.slice(from, this.at);
  }

  /** Reads one character. @returns it; empty at the end. */
  step(): string {
    const character = this.next;
    this.at += 1;
    return character;
  }

  /** Reads what a sticky expression matches. @returns it; empty where it does not match here. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const taken = pattern.exec(this.#text)?.[0] ?? "";
    this.at += taken.length;
    return taken;
  }

  /** Reads up to an end and over it. @returns what is before the end; null where there is none. */
  takeUntil(end: string): string | null {
    const found = this.#text.indexOf(end, this.at);
    if (found === -1) return null;
    const taken = this.#text.slice(this.at, found);
    this.at = found + end.length;
    return taken;
  }

  /**
   * Reads lines up to one that is the end, or to the text's end. @param joinsLines a backslash at a line's end joins the next
   * one to it. @returns those before it.
   */
  takeDocument(end: string, { stripsTabs, joinsLines }: { stripsTabs: boolean; joinsLines: boolean }): string {
    let document = "";
    while (!this.isAtEnd) {
      let line = this.#takeLine();
      while (joinsLines && !this.isAtEnd && JOINING.test(line)) line = line.slice(0, -1) + this.#takeLine();
      const shown = stripsTabs ? line.replace(/^\t+/, "") : line;
      if (shown === end) break;
      document += `${shown}\n`;
    }
    return document;
  }

  #takeLine(): string {
    const line = this.take(/[^\n]*/y);
    this.at += 1;
    return line;
  }
}
