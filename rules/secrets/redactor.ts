/** Takes secrets out of texts: as they are, encoded, escaped, wrapped, and in pieces. Pure, but for the secrets that it has learned. */
import type { Json } from "#protocol/schema.ts";
import { Automaton, type Span } from "./automaton.ts";
import { patternsOf } from "./patterns.ts";
import { type Units, unescaped, unitsOf } from "./units.ts";

/** Never longer than what it stands for, so that nothing grows by being scrubbed. */
export const MARK = "[secret]";
/** A text may be escaped within an escaped text. */
const LAYERS = 3;
/** Whoever cuts a text may say so at its end. */
const CUT = /…$/;
const SIGNS = /[\\%&]/;

interface HowToScrub {
  /** Of which keys the values stay as they are. */
  isKept(key: string): boolean;
  hasNumbers: boolean;
}

interface Look {
  /** Parts that are secrets, in order, without overlaps. */
  spans: Span[];
  /** What stands from here on may be the beginning of a secret that goes on in the next piece. */
  openFrom: number;
}

export class Redactor {
  readonly #secrets = new Set<string>();
  #automaton = new Automaton([]);

  constructor(secrets: readonly string[]) {
    this.learn(secrets);
  }

  /** Those of fewer than 8 characters are left out. */
  learn(secrets: readonly string[]): void {
    const known = this.#secrets.size;
    for (const secret of secrets) this.#secrets.add(secret);
    if (this.#secrets.size > known) this.#automaton = new Automaton([...this.#secrets].flatMap(patternsOf));
  }

  text(text: string): string {
    return cut(text, this.look(text, false).spans, 0);
  }

  /** A copy of a JSON value with every text scrubbed, keys and numbers included; the value itself when nothing was found. */
  json(value: Json): Json {
    return this.#scrub(value, { isKept: () => false, hasNumbers: true }) as Json;
  }

  /** The same for a value with a form of its own: its numbers stay, and so does what some keys lead to. */
  value<Value>(value: Value, isKept: (key: string) => boolean = () => false): Value {
    return this.#scrub(value, { isKept, hasNumbers: false }) as Value;
  }

  /** For a text that comes in pieces. */
  stream(): RedactedStream {
    return new RedactedStream(this);
  }

  /** @param goesOn whether more of the text may come. */
  look(text: string, goesOn: boolean): Look {
    if (this.#automaton.isEmpty || text === "") return { spans: [], openFrom: text.length };
    const layers: Span[][] = [];
    let openFrom = text.length;
    let units: Units | null = unitsOf(goesOn ? text : text.replace(CUT, ""));
    while (units !== null && layers.length < LAYERS) {
      const spans: Span[] = [];
      openFrom = Math.min(
        openFrom,
        this.#automaton.scan(units, goesOn, (span) => join(spans, span)),
      );
      layers.push(spans);
      units = SIGNS.test(text) ? unescaped(units, goesOn) : null;
    }
    return { spans: joined(layers.flat()), openFrom };
  }

  #scrub(value: unknown, how: HowToScrub): unknown {
    if (typeof value === "string") return this.text(value);
    if (typeof value === "number") {
      return how.hasNumbers && this.look(String(value), false).spans.length > 0 ? MARK : value;
    }
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#scrub(item, how));
      return items.every((item, at) => item === value[at]) ? value : items;
    }
    const before = Object.entries(value);
    const after = before.map(
      ([key, item]) => [this.text(key), how.isKept(key) ? item : this.#scrub(item, how)] as const,
    );
    const isSame = before.every(([key, item], at) => key === after[at]?.[0] && item === after[at][1]);
    return isSame ? value : Object.fromEntries(after);
  }
}

/** Scrubs a text that comes in pieces: an end that may be a secret's beginning is held back for the next piece. */
export class RedactedStream {
  readonly #redactor: Redactor;
  #held = "";
  /** How much of what is held back belongs to a secret for which the mark was shown. */
  #marked = 0;

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** @returns what may be shown so far; may be empty. */
  push(piece: string): string {
    const text = this.#held + piece;
    const { spans, openFrom } = this.#redactor.look(text, true);
    const shown = spans.filter(({ from }) => from < openFrom);
    const clean = cut(text.slice(0, openFrom), shown, this.#marked);
    const to = Math.max(this.#marked, shown.at(-1)?.to ?? 0);
    this.#held = text.slice(openFrom);
    this.#marked = Math.max(0, to - openFrom);
    return clean;
  }

  /** The text has ended. @returns what was held back. */
  end(): string {
    const text = this.#held;
    const { spans } = this.#redactor.look(text, false);
    const clean = cut(text, spans, this.#marked);
    this.#held = "";
    this.#marked = 0;
    return clean;
  }
}

/** Adds a span that ends behind all others, or with them: those that it overlaps become one with it. */
function join(spans: Span[], added: Span): void {
  let { from } = added;
  for (let last = spans.at(-1); last !== undefined && last.to > from; last = spans.at(-1)) {
    from = Math.min(from, last.from);
    spans.pop();
  }
  spans.push({ from, to: added.to });
}

/** Those that overlap become one. */
function joined(spans: Span[]): Span[] {
  const parts: Span[] = [];
  for (const { from, to } of spans.sort((a, b) => a.from - b.from || b.to - a.to)) {
    const last = parts.at(-1);
    if (last !== undefined && from < last.to) last.to = Math.max(last.to, to);
    else parts.push({ from, to });
  }
  return parts;
}

/** @param marked so much at the text's beginning is a part of a secret whose mark was shown. */
function cut(text: string, spans: readonly Span[], marked: number): string {
  let clean = "";
  let at = Math.min(marked, text.length);
  for (const { from, to } of spans) {
    if (from >= at) clean += text.slice(at, from) + MARK;
    at = Math.max(at, Math.min(to, text.length));
  }
  return clean + text.slice(at);
}
