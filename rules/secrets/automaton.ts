/**
 * Finds many patterns in one pass (Aho and Corasick's automaton): the time grows with the text alone, however many patterns there
 * are and whatever the text repeats. Patterns and texts are compared folded and without line breaks and the indents behind them.
 */
import { folded, isIndent, isLineBreak, SHORTEST_SECRET } from "./patterns.ts";
import type { Units } from "./units.ts";

/** A part of the text, from its first code unit to behind its last. */
export interface Span {
  from: number;
  to: number;
}

const ROOT = 0;

export class Automaton {
  /** Of each state its first child, the next child of its parent, and the code that leads to it. */
  readonly #child: Int32Array;
  readonly #sibling: Int32Array;
  readonly #code: Uint16Array;
  /** How many codes lead to it from the root. */
  readonly #depth: Int32Array;
  /** The state of the longest other pattern's beginning that the codes up to here end with. */
  readonly #fail: Int32Array;
  /** How long the longest pattern is that ends here; 0 for none. */
  readonly #match: Int32Array;
  /** The child of the root for each code: most of a text is compared with these alone. */
  readonly #begin = new Int32Array(0x1_0000);
  #size = 1;

  constructor(patterns: readonly string[]) {
    const codes = [...new Set(patterns)].map(codesOf).filter(({ length }) => length >= SHORTEST_SECRET);
    const room = 1 + codes.reduce((sum, { length }) => sum + length, 0);
    this.#child = new Int32Array(room);
    this.#sibling = new Int32Array(room);
    this.#code = new Uint16Array(room);
    this.#depth = new Int32Array(room);
    this.#fail = new Int32Array(room);
    this.#match = new Int32Array(room);
    for (const pattern of codes) this.#add(pattern);
    this.#link();
  }

  get isEmpty(): boolean {
    return this.#size === 1;
  }

  /**
   * @param found gets each match, in the order of their ends. @param goesOn whether more may come: if not, the end of what was cut
   * off within a pattern is a match, where it is long enough to be one. @returns where the end may be the beginning of another.
   */
  scan(units: Units, goesOn: boolean, found: (span: Span) => void): number {
    const places = new Uint32Array(units.length);
    let count = 0;
    let state = ROOT;
    let isAfterBreak = false;
    for (let at = 0; at < units.length; at += 1) {
      const code = units.codes[at] ?? 0;
      if (isLineBreak(code)) isAfterBreak = true;
      if (isLineBreak(code) || (isAfterBreak && isIndent(code))) continue;
      isAfterBreak = false;
      state = this.#next(state, folded(code));
      places[count] = at;
      count += 1;
      const length = this.#match[state] ?? 0;
      if (length > 0) found({ from: units.from[places[count - length] ?? 0] ?? 0, to: units.to[at] ?? 0 });
    }
    const open = this.#openLength(state);
    const openFrom = open === 0 ? units.openFrom : (units.from[places[count - open] ?? 0] ?? 0);
    if (!goesOn && open >= SHORTEST_SECRET) found({ from: openFrom, to: units.to[units.length - 1] ?? 0 });
    return Math.min(openFrom, units.openFrom);
  }

  #next(from: number, code: number): number {
    for (let state = from; ; state = this.#fail[state] ?? ROOT) {
      const next = this.#to(state, code);
      if (next !== ROOT || state === ROOT) return next;
    }
  }

  /** @returns the root where no child has this code. */
  #to(state: number, code: number): number {
    if (state === ROOT) return this.#begin[code] ?? ROOT;
    let child = this.#child[state] ?? ROOT;
    while (child !== ROOT && this.#code[child] !== code) child = this.#sibling[child] ?? ROOT;
    return child;
  }

  /** How many codes at the end may go on to a pattern. */
  #openLength(from: number): number {
    let state = from;
    while (state !== ROOT && this.#child[state] === ROOT) state = this.#fail[state] ?? ROOT;
    return this.#depth[state] ?? 0;
  }

  #add(pattern: readonly number[]): void {
    let state = ROOT;
    for (const code of pattern) {
      const known = this.#to(state, code);
      state = known === ROOT ? this.#grow(state, code) : known;
    }
    this.#match[state] = pattern.length;
  }

  #grow(parent: number, code: number): number {
    const state = this.#size;
    this.#size += 1;
    this.#code[state] = code;
    this.#depth[state] = (this.#depth[parent] ?? 0) + 1;
    this.#sibling[state] = this.#child[parent] ?? ROOT;
    this.#child[parent] = state;
    if (parent === ROOT) this.#begin[code] = state;
    return state;
  }

  /** In the order of depth: a state's links lead to states that are nearer to the root. */
  #link(): void {
    const queue = new Int32Array(this.#size);
    let last = 1;
    for (let first = 0; first < last; first += 1) {
      const parent = queue[first] ?? ROOT;
      for (let state = this.#child[parent] ?? ROOT; state !== ROOT; state = this.#sibling[state] ?? ROOT) {
        const fail = parent === ROOT ? ROOT : this.#next(this.#fail[parent] ?? ROOT, this.#code[state] ?? 0);
        this.#fail[state] = fail;
        if (this.#match[state] === 0) this.#match[state] = this.#match[fail] ?? 0;
        queue[last] = state;
        last += 1;
      }
    }
  }
}

function codesOf(pattern: string): number[] {
  const text = pattern.replaceAll(/[\r\n]+[ \t\r\n]*/g, "");
  return Array.from({ length: text.length }, (_, at) => folded(text.charCodeAt(at)));
}
