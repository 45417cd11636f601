/**
 * Reads a gate's `when`: a small language without loops, whose work is bounded by its length and the length of one list. What it
 * knows is in docs/routines.md. Pure.
 */
import { ExpressionFault, type Token, tokensOf } from "./tokens.ts";

export type PathStep = string | number;

export type Expression =
  | { is: "value"; value: string | number | boolean | null }
  | { is: "path"; path: readonly PathStep[] }
  /** Of the answer itself where it has no path. */
  | { is: "count"; path: readonly PathStep[] | null }
  | { is: "exists"; path: readonly PathStep[] }
  | { is: "contains"; whole: Expression; part: Expression }
  | { is: "compare"; by: Comparison; left: Expression; right: Expression }
  | { is: "not"; of: Expression }
  | { is: "and" | "or"; left: Expression; right: Expression };

const COMPARISONS = ["==", "!=", "<", "<=", ">", ">="] as const;
export type Comparison = (typeof COMPARISONS)[number];

export const EXPRESSION_LENGTH = 500;
const DEEPEST = 20;
const WORDS = { true: true, false: false, null: null } as const;
const EXAMPLE = 'as in count > 0 or state == "open"';

/** @throws ExpressionFault */
export function parseExpression(text: string): Expression {
  if (text.length > EXPRESSION_LENGTH) {
    throw new ExpressionFault(`it is longer than ${EXPRESSION_LENGTH} characters`, EXPRESSION_LENGTH + 1);
  }
  const reader = new Reader(tokensOf(text));
  const expression = reader.either();
  reader.end();
  return expression;
}

/** Why an expression can't be used, in words; null when nothing is wrong. */
export function expressionFault(text: string): string | null {
  try {
    parseExpression(text);
    return null;
  } catch (error) {
    if (error instanceof ExpressionFault) return error.message;
    throw error;
  }
}

class Reader {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** What is true or false. */
  either(): Expression {
    const from = this.#token.column;
    const whole = this.#either();
    if (whole.is === "count") throw new ExpressionFault("a number decides nothing: write count > 0", from);
    if (whole.is === "value" && typeof whole.value !== "boolean") {
      throw new ExpressionFault(`true or false is wanted, ${EXAMPLE}`, from);
    }
    return whole;
  }

  end(): void {
    const { kind, text, column } = this.#token;
    if (kind !== "end") throw new ExpressionFault(`"${text}" is not expected: join parts by and, or`, column);
  }

  #either(): Expression {
    let left = this.#both();
    while (this.#takes("or", "||")) left = { is: "or", left: this.#decides(left), right: this.#decides(this.#both()) };
    return left;
  }

  #both(): Expression {
    let left = this.#not();
    while (this.#takes("and", "&&")) left = { is: "and", left: this.#decides(left), right: this.#decides(this.#not()) };
    return left;
  }

  #not(): Expression {
    if (!this.#takes("not", "!")) return this.#comparison();
    return this.#deeper(() => ({ is: "not", of: this.#decides(this.#not()) }));
  }

  #comparison(): Expression {
    const left = this.#operand();
    const by = COMPARISONS.find((one) => this.#takes(one));
    if (by === undefined) return left;
    const right = this.#operand();
    const after = this.#token;
    if (COMPARISONS.some((one) => after.kind === "sign" && after.text === one)) {
      throw new ExpressionFault("two comparisons are joined by and, or", after.column);
    }
    return { is: "compare", by, left, right };
  }

  #operand(): Expression {
    const token = this.#token;
    this.#next += 1;
    if (token.kind === "number") return { is: "value", value: numberOf(token) };
    if (token.kind === "text") return { is: "value", value: token.text };
    if (token.kind === "sign" && token.text === "(") {
      const inner = this.#deeper(() => this.#either());
      this.#require(")");
      return inner;
    }
    if (token.kind === "name") return this.#named(token);
    if (token.kind === "sign" && token.text === "[") {
      this.#next -= 1;
      return { is: "path", path: this.#steps([]) };
    }
    const found = token.kind === "end" ? "it ends where a value is wanted" : `a value is wanted, not "${token.text}"`;
    throw new ExpressionFault(`${found}, ${EXAMPLE}`, token.column);
  }

  #named({ text, column }: Token): Expression {
    if (Object.hasOwn(WORDS, text)) return { is: "value", value: WORDS[text as keyof typeof WORDS] };
    if (text === "and" || text === "or") throw new ExpressionFault(`there is nothing before "${text}"`, column);
    if (!this.#takes("(")) {
      return text === "count" ? { is: "count", path: null } : { is: "path", path: this.#steps([text]) };
    }
    return this.#called(text, column);
  }

  #called(name: string, column: number): Expression {
    if (name === "contains") {
      const whole = this.#deeper(() => this.#operand());
      this.#require(",");
      const part = this.#deeper(() => this.#operand());
      this.#require(")");
      return { is: "contains", whole, part };
    }
    if (name !== "count" && name !== "exists") {
      throw new ExpressionFault(`"${name}(" is not known: there are count(path), exists(path), contains(a, b)`, column);
    }
    const path = this.#path(name);
    this.#require(")");
    return { is: name, path };
  }

  #path(of: string): PathStep[] {
    const { kind, text, column } = this.#token;
    const isName = kind === "name";
    if (!isName && text !== "[") throw new ExpressionFault(`${of} wants a path, as in ${of}(issues)`, column);
    if (isName) this.#next += 1;
    return this.#steps(isName ? [text] : []);
  }

  #steps(path: PathStep[]): PathStep[] {
    for (;;) {
      const step = this.#token;
      if (this.#takes(".")) {
        const { kind, text, column } = this.#token;
        if (kind !== "name") throw new ExpressionFault("a field is wanted after the dot", column);
        this.#next += 1;
        path.push(text);
      } else if (this.#takes("[")) {
        const { kind, text, column } = this.#token;
        const isIndex = kind === "number" && /^\d{1,9}$/.test(text);
        if (!isIndex && kind !== "text") {
          throw new ExpressionFault("in [ ] a place from 0 on, or a field in quotes, is wanted", column);
        }
        this.#next += 1;
        path.push(isIndex ? Number(text) : text);
        this.#require("]");
      } else {
        // Numbers swallow the dot of "1.5", not of a path.
        if (path.length === 0) throw new ExpressionFault("a path is wanted", step.column);
        return path;
      }
    }
  }

  /** @throws for what can't be true or false, whatever the answer is. */
  #decides(one: Expression): Expression {
    const isNone = one.is === "count" || (one.is === "value" && typeof one.value !== "boolean");
    if (isNone) throw new ExpressionFault(`and, or, not join what is true or false, ${EXAMPLE}`, this.#token.column);
    return one;
  }

  get #token(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token;
  }

  #takes(...words: string[]): boolean {
    const { kind, text } = this.#token;
    if ((kind !== "name" && kind !== "sign") || !words.includes(text)) return false;
    this.#next += 1;
    return true;
  }

  #require(sign: string): void {
    const { text, kind, column } = this.#token;
    if (this.#takes(sign)) return;
    throw new ExpressionFault(`"${sign}" is wanted${kind === "end" ? "" : `, not "${text}"`}`, column);
  }

  #deeper<Value>(read: () => Value): Value {
    if (this.#depth >= DEEPEST) {
      throw new ExpressionFault(`it is nested deeper than ${DEEPEST} levels`, this.#token.column);
    }
    this.#depth += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }
}

/** @throws ExpressionFault where it is none of JSON's: it would be more than any number of the answer. */
function numberOf({ text, column }: Token): number {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new ExpressionFault(`${text} is larger than a number can be`, column);
  return value;
}
