/** The words of a gate's `when`, each with its place. Pure. */

export interface Token {
  kind: "name" | "number" | "text" | "sign" | "end";
  /** As it is written; of a text, what it says. */
  text: string;
  /** From 1 on. */
  column: number;
}

/** What is wrong with an expression, for people. */
export class ExpressionFault extends Error {
  /** @param column from 1 on. */
  constructor(words: string, column: number) {
    super(`${words}, at character ${column}`);
    this.name = "ExpressionFault";
  }
}

const SPACE = /\s+/uy;
const NAME = /[\p{L}_$][\p{L}\p{N}_$-]*/uy;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/uy;
const SIGN = /==|!=|<=|>=|&&|\|\||[<>()[\].,!]/uy;
const TEXT = /"((?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*)"|'([^'\\]*)'/uy;

/** @throws ExpressionFault */
export function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  let place = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = place;
    return pattern.exec(expression);
  };
  while (place < expression.length) {
    const column = place + 1;
    const space = match(SPACE);
    const text = space === null ? match(TEXT) : null;
    const plain = (kind: Token["kind"], found: RegExpExecArray | null) =>
      found === null ? null : { kind, text: found[0], column, length: found[0].length };
    const token =
      plain("number", match(NUMBER)) ??
      plain("name", match(NAME)) ??
      plain("sign", match(SIGN)) ??
      (text === null ? null : { kind: "text" as const, text: saidBy(text), column, length: text[0].length });
    if (space === null && token === null) throw unreadable(expression, place);
    if (token !== null) tokens.push({ kind: token.kind, text: token.text, column });
    place += space?.[0].length ?? token?.length ?? 1;
  }
  return [...tokens, { kind: "end", text: "", column: expression.length + 1 }];
}

function saidBy([whole, , plain]: RegExpExecArray): string {
  if (plain !== undefined) return plain;
  try {
    return String(JSON.parse(whole));
  } catch {
    // A line break or a tabulator as it is.
    return whole.slice(1, -1);
  }
}

function unreadable(expression: string, place: number): ExpressionFault {
  const sign = String.fromCodePoint(expression.codePointAt(place) ?? 0);
  if (sign === "=") return new ExpressionFault('"=" compares nothing: write ==', place + 1);
  if (sign === '"' || sign === "'") return new ExpressionFault("a text begins here that has no end", place + 1);
  return new ExpressionFault(`"${sign}" is not understood`, place + 1);
}
