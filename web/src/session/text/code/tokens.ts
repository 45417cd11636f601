/** Pure: code as pieces with what each is. */
import type { ShjToken } from "@speed-highlight/core";

export type TokenKind = "comment" | "keyword" | "string" | "number" | "name";

export interface Token {
  text: string;
  /** null for what has no colour of its own. */
  kind: TokenKind | null;
}

/** Few colours, each of which says something: the rest is as usual text. */
const KINDS: Partial<Record<ShjToken, TokenKind>> = {
  cmnt: "comment",
  kwd: "keyword",
  str: "string",
  num: "number",
  bool: "number",
  func: "name",
  class: "name",
  type: "name",
  section: "name",
};

export function tokenKind(type: ShjToken | undefined): TokenKind | null {
  return type === undefined ? null : (KINDS[type] ?? null);
}

/** Line by line, without the line breaks. */
export function tokenLines(tokens: readonly Token[]): Token[][] {
  let line: Token[] = [];
  const lines = [line];
  for (const { text, kind } of tokens) {
    for (const [index, part] of text.split("\n").entries()) {
      if (index > 0) {
        line = [];
        lines.push(line);
      }
      if (part !== "") line.push({ text: part, kind });
    }
  }
  return lines;
}
