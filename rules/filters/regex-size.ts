/** How large a regular expression becomes, told from its text, before anything is compiled. Pure. */

/** A table of Unicode has hundreds of ranges; under `(?i)`, a range beyond ASCII is folded letter by letter. */
const TABLE_SIZE = 10;
const FOLDED_RANGE_SIZE = 200;
/** Instructions that a group adds to its content: its two ends, and a step for when it is empty. */
const GROUP_SIZE = 3;
/** Instructions that every compiled expression has: one for failure, one for a match, and a step for when it is empty. */
const PROGRAM_SIZE = 3;

const ESCAPE = /\\(?:Q(?<literal>.*?)(?:\\E|$)|[pP](?:\{[^}]*\}|.)|x\{[^}]*\}|.)/sy;
const SET = /\[\^?\]?(?:\[:\^?[a-z]*:\]|\\.|[^\]\\])*\]/sy;
const GROUP = /\((?:\?P?<[^>]*>|\?[a-zA-Z-]*:)?/y;
const FLAGS = /\(\?[a-zA-Z-]*\)/y;
const REPETITION = /\{(?<least>0|[1-9][0-9]*)(?:,(?<most>0|[1-9][0-9]*)?)?\}/y;

const FOLDS_CASE = /\(\?[a-zA-Z]*i/;
const TABLE = /\\[pP]/g;
const WIDE_RANGE = /-(?:\\x\{|[^ -~])|(?:\\x\{[^}]*\}|[^ -~])-/g;

/** What has been read of one group: its size so far, and that of the piece that a repetition would repeat. */
interface Level {
  size: number;
  last: number;
}

/**
 * @returns at least the number of instructions into which RE2 compiles the expression, where counted repetitions are
 * written out and nested ones multiply; and the price of its tables, once each. A text that is no valid expression gets some size too.
 */
export function regexSize(pattern: string): number {
  const rangeSize = FOLDS_CASE.test(pattern) ? FOLDED_RANGE_SIZE : TABLE_SIZE;
  const outer: Level[] = [];
  let level: Level = { size: 0, last: 0 };
  let tables = PROGRAM_SIZE;
  let at = 0;
  const read = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at;
    const found = form.exec(pattern);
    if (found !== null) at += found[0].length;
    return found;
  };
  const add = (size: number, last: number): void => {
    level.size += size;
    level.last = last;
  };
  while (at < pattern.length) {
    const piece = read(ESCAPE) ?? read(SET);
    if (piece !== null) {
      const literal = piece.groups?.literal;
      if (literal !== "") add(literal?.length ?? 1, 1);
      if (literal === undefined) tables += tablesSize(piece[0], rangeSize);
      continue;
    }
    if (read(FLAGS) !== null) continue;
    if (read(GROUP) !== null) {
      outer.push(level);
      level = { size: 0, last: 0 };
      continue;
    }
    const repetition = read(REPETITION);
    if (repetition !== null) {
      const repeated = repeatedSize(level.last, repetition.groups);
      add(repeated - level.last, repeated);
      continue;
    }
    const character = pattern[at];
    at += 1;
    const enclosing = character === ")" ? outer.pop() : undefined;
    if (enclosing !== undefined) {
      const size = level.size + GROUP_SIZE;
      level = enclosing;
      add(size, size);
    } else if (character === "*" || character === "+" || character === "?") {
      add(2, level.last + 2);
    } else if (character === "|") {
      add(2, 2);
    } else {
      add(1, 1);
    }
  }
  return outer.reduce((size, open) => size + open.size, level.size) + tables;
}

function tablesSize(set: string, rangeSize: number): number {
  const tables = set.match(TABLE)?.length ?? 0;
  const ranges = set.match(WIDE_RANGE)?.length ?? 0;
  return tables * TABLE_SIZE + ranges * rangeSize;
}

function repeatedSize(size: number, counts: Record<string, string | undefined> = {}): number {
  const least = Number(counts.least);
  const most = counts.most === undefined ? least : Number(counts.most);
  return Math.max(1, least, most) * size + Math.max(0, most - least) + 2;
}
