/** Whether a command is one that a rule names. Pure. */
import { type ShellCommand, type ShellWord, UNKNOWN } from "./command-list.ts";
import { matchesGlob } from "./matches-glob.ts";
import { commandStarts, nameOf } from "./shell-calls.ts";

/** Any number of words, in a rule. */
const ANY = "*";

/**
 * For rules that refuse or ask: whether it may be that command, wherever in its words. Options, each with a value, may stand
 * between the words of a rule, and a word that is not known may be any.
 */
export function mayMatch(rule: readonly string[], isPrefix: boolean, words: readonly ShellWord[]): boolean {
  const [first = ""] = rule;
  const starts = new Set(commandStarts(words));
  const name = first.slice(first.lastIndexOf("/") + 1);
  const isPhrase = rule.length > 1 && first !== ANY;
  const pattern = isPrefix ? [...rule, ANY] : rule;
  const seek = new Seek(pattern);
  for (const [place, word] of words.entries()) {
    const own = nameOf(word);
    // Two words of a rule that stand side by side are rarely anything but that command.
    if (starts.has(place) || (isPhrase && own !== null && matchesGlob(own, name))) seek.begin();
    seek.read(word);
    if (seek.isAtEnd && pattern.at(-1) === ANY) return true;
  }
  return seek.isAtEnd;
}

/** For rules that let through: whether it is that command, word by word, with nothing beside it. */
export function matchesClosely(rule: readonly string[], isPrefix: boolean, command: ShellCommand): boolean {
  const { words, assigns, redirects } = command;
  if (assigns || redirects || (isPrefix ? words.length < rule.length : words.length !== rule.length)) return false;
  return rule.every((glob, place) => {
    const word = words[place];
    return word !== undefined && !isOpen(word) && matchesGlob(word.text, glob);
  });
}

/** Whether a program in another language names a rule's words, one after the other. */
export function namesInOrder(rule: readonly string[], program: string): boolean {
  let at = 0;
  for (const word of rule.filter((one) => one !== ANY)) {
    const plain = word.replaceAll("*", "");
    const found = program.indexOf(plain, at);
    if (found === -1) return false;
    at = found + plain.length;
  }
  return true;
}

function isOpen({ text, spreads }: ShellWord): boolean {
  return spreads || text.includes(UNKNOWN);
}

/** Reads a command's words, and knows how many words of a rule they may have been. */
class Seek {
  readonly #pattern: readonly string[];
  /** For each number of a rule's words that may have been read: whether an option came last, so that its value may follow. */
  #reached = new Map<number, boolean>();

  constructor(pattern: readonly string[]) {
    this.#pattern = pattern;
  }

  get isAtEnd(): boolean {
    return this.#reached.has(this.#pattern.length);
  }

  /** The command may begin with the next word. */
  begin(): void {
    this.#reach(this.#reached, 0, false);
  }

  read(word: ShellWord): void {
    const next = new Map<number, boolean>();
    for (const [count, isValueNext] of this.#reached) {
      const wanted = this.#pattern[count];
      if (wanted === undefined) continue;
      if (word.spreads) {
        for (let more = count; more <= this.#pattern.length; more += 1) this.#reach(next, more, false);
      } else if (wanted === ANY) {
        this.#reach(next, count, false);
      } else {
        if (mayBe(word, wanted, count === 0)) this.#reach(next, count + 1, false);
        if (count > 0 && word.text.startsWith("-")) this.#reach(next, count, true);
        else if (count > 0 && isValueNext) this.#reach(next, count, false);
      }
    }
    this.#reached = next;
  }

  /** Where any number of words may come, none may. */
  #reach(reached: Map<number, boolean>, count: number, isValueNext: boolean): void {
    reached.set(count, isValueNext || (reached.get(count) ?? false));
    if (this.#pattern[count] === ANY) this.#reach(reached, count + 1, false);
  }
}

function mayBe(word: ShellWord, wanted: string, isName: boolean): boolean {
  if (isName) {
    const name = nameOf(word);
    return name === null ? mayUnify(word.text, wanted) : matchesGlob(name, wanted.slice(wanted.lastIndexOf("/") + 1));
  }
  return word.text.includes(UNKNOWN) ? mayUnify(word.text, wanted) : matchesGlob(word.text, wanted);
}

/** Whether a text with unknown parts may be what a pattern is for, by how both begin and end. */
function mayUnify(text: string, pattern: string): boolean {
  const agree = (one: string, other: string) => one.startsWith(other) || other.startsWith(one);
  const agreeAtEnd = (one: string, other: string) => one.endsWith(other) || other.endsWith(one);
  const isBeginning = agree(text.slice(0, text.indexOf(UNKNOWN)), pattern.split("*", 1)[0] ?? "");
  const end = text.slice(text.lastIndexOf(UNKNOWN) + 1);
  return isBeginning && agreeAtEnd(end, pattern.slice(pattern.lastIndexOf("*") + 1));
}
