/**
 * Pure: a text in pieces that are each quick to read as Markdown. Reading Markdown takes time with the square of the length, or worse,
 * for text that is made for it; what is in the pieces and how long they are bounds that.
 */

export interface Chunk {
  /** `plain` is shown as it is; `code` is what stands between two fences. */
  kind: "markdown" | "code" | "plain";
  text: string;
  /** Of code, if it is named. */
  language: string | null;
}

/** Pieces are cut at the first paragraph's end after so many characters, */
const SOFT_LENGTH = 4_000;
/** and at a line's end after so many */
const HARD_LENGTH = 6_000;
/** or after so many lines. */
const HARD_LINES = 250;
/** Code that is longer than this needs no reading. */
const LONG_CODE = 2_000;
/** Signs that have to be matched with others. Prose, tables and lists of links stay well below. */
const MOST_MATCHED_SIGNS = 700;
/** A line that opens more quotes and lists than this, each in the other, is nothing that anybody wrote. */
const NESTED = /^(?:[ \t]*(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))){9}/m;

export function markdownChunks(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let lines: string[] = [];
  let length = 0;
  const flush = () => {
    if (lines.some((line) => line.trim() !== "")) chunks.push(judged(lines.join("\n")));
    lines = [];
    length = 0;
  };
  const all = text.split("\n");
  for (let index = 0; index < all.length; index += 1) {
    const line = all[index] ?? "";
    const code = codeAt(all, index);
    if (code !== null && code.text.length > LONG_CODE) {
      flush();
      chunks.push({ kind: "code", text: code.text, language: code.language });
      index = code.lastLine;
      continue;
    }
    const isParagraphEnd = length > SOFT_LENGTH && line.trim() === "" && startsAnew(all[index + 1]);
    if (isParagraphEnd || length > HARD_LENGTH || lines.length >= HARD_LINES) flush();
    // Short code stays in one piece with what stands before it.
    const taken = code === null ? [line] : all.slice(index, code.lastLine + 1);
    for (const one of taken) {
      lines.push(one);
      length += one.length + 1;
    }
    index += taken.length - 1;
  }
  flush();
  return chunks;
}

function judged(text: string): Chunk {
  const isTooLong = text.length > 2 * HARD_LENGTH;
  const isDense = !isTooLong && (text.match(/[*_~[\]]/g)?.length ?? 0) > MOST_MATCHED_SIGNS;
  return { kind: isTooLong || isDense || NESTED.test(text) ? "plain" : "markdown", text, language: null };
}

/** Not within a list, whose next entry may follow after an empty line. */
function startsAnew(line: string | undefined): boolean {
  return line !== undefined && /^[^\s\-*+\d]/.test(line);
}

interface Code {
  text: string;
  language: string | null;
  lastLine: number;
}

/** Code between fences that begins in this line; without an end it goes on to the end of the text. */
function codeAt(lines: readonly string[], index: number): Code | null {
  const line = lines[index] ?? "";
  const fence = /^(?:`{3,}|~{3,})/.exec(line)?.[0];
  const info = line.slice(fence?.length ?? 0);
  if (fence === undefined || info.includes("`")) return null;
  const isEnd = (line: string) => line.startsWith(fence) && line.replaceAll(fence[0] ?? "", "").trim() === "";
  let end = index + 1;
  while (end < lines.length && !isEnd(lines[end] ?? "")) end += 1;
  const language = /^\S{1,30}/.exec(info.trim())?.[0] ?? null;
  return { text: lines.slice(index + 1, end).join("\n"), language, lastLine: Math.min(end, lines.length - 1) };
}
