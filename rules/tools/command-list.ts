/** The commands of one list of a shell's text, put together word by word. Pure. */
import { ownValue } from "#protocol/own-value.ts";

/** Stands in a word for what the text does not say. */
export const UNKNOWN = "\0";

/** A word of a command, with `UNKNOWN` for each part that the text does not say. */
export interface ShellWord {
  text: string;
  /** Whether it may become several words, or none. */
  spreads: boolean;
}

export interface ShellCommand {
  words: ShellWord[];
  /** Whether variables are set for it, or by it. */
  assigns: boolean;
  /** Whether its input or output is a file. */
  redirects: boolean;
  /** What it reads, where the text has it, with `UNKNOWN` as in a word; null for whatever else it reads. */
  input: string | null;
}

/** A text that comes after the line, as after `<<END`. */
export interface PendingDocument {
  command: ShellCommand;
  end: string;
  isQuoted: boolean;
  stripsTabs: boolean;
}

/** The text is no whole command line, or it is not read here. */
export class Unreadable extends Error {}

/** Words that stand before a command and are none. */
const RESERVED = new Set(
  "if then elif else fi do done while until for select case esac function coproc ! { }".split(" "),
);
/** After which word the values end that these go through. */
const VALUES_END: Readonly<Record<string, string>> = { for: "do", select: "do", case: "in" };
/** Stands before a command, which may be a compound one, and is one itself. */
const TIME = "time";
const ASSIGNMENT = /^[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=/;
/** Targets that are no file. */
const NO_FILE = /^(?:\/dev\/null|&?\d+-?|&?-)$/;

interface OpenWord extends ShellWord {
  isQuoted: boolean;
}

export class CommandList {
  readonly #commands: ShellCommand[];
  readonly #documents: PendingDocument[];
  /** What is open: a parenthesis, or a `case` whose patterns end with parentheses. */
  readonly #open: ("(" | "case")[] = [];
  #command: ShellCommand = emptyCommand();
  #words: OpenWord[] = [];
  #word: OpenWord | null = null;
  #redirection: string | null = null;

  /** @param commands where they are put. @param documents where it puts what comes after the line. */
  constructor(commands: ShellCommand[], documents: PendingDocument[]) {
    this.#commands = commands;
    this.#documents = documents;
  }

  get innermost(): "(" | "case" | null {
    return this.#open.at(-1) ?? null;
  }
  /** The word that is being written; null between words. */
  get word(): Readonly<OpenWord> | null {
    return this.#word;
  }

  add(text: string, { isQuoted = false, spreads = false } = {}): void {
    this.#word ??= { text: "", spreads: false, isQuoted: false };
    this.#word.text += text;
    this.#word.isQuoted ||= isQuoted;
    this.#word.spreads ||= spreads;
  }

  /** The next word is not the command's: output or input goes there. */
  redirect(operator: string): void {
    // The number of a file in `2>`.
    if (this.#word !== null && /^\d+$/.test(this.#word.text) && !this.#word.isQuoted) this.#word = null;
    this.endWord();
    if (this.#redirection !== null) throw new Unreadable();
    this.#redirection = operator;
  }

  endWord(): void {
    const word = this.#word;
    if (word === null) return;
    this.#word = null;
    if (this.#redirection !== null) {
      this.#endRedirection(this.#redirection, word);
      return;
    }
    const isHead =
      this.#words.every((one) => isReserved(one) || one.text === TIME) || this.#words[0]?.text === "function";
    if (isHead && !word.isQuoted && word.text === "case") this.#open.push("case");
    if (isHead && !word.isQuoted && word.text === "esac" && this.#open.pop() !== "case") throw new Unreadable();
    this.#words.push(word);
  }

  endCommand(): void {
    this.endWord();
    if (this.#redirection !== null) throw new Unreadable();
    const command = this.#command;
    const begin = this.#beginning();
    let first = begin;
    while (ASSIGNMENT.test(this.#words[first]?.text ?? "")) first += 1;
    command.assigns = first > begin;
    command.words = this.#words.slice(first).map(({ text, spreads }) => ({ text, spreads }));
    if (command.words.length > 0 || command.assigns || command.redirects) this.#commands.push(command);
    this.#command = emptyCommand();
    this.#words = [];
  }

  enter(): void {
    this.endCommand();
    this.#open.push("(");
  }

  /** At a closing parenthesis. @returns whether it ends the list. */
  leave(): boolean {
    this.endCommand();
    if (this.innermost === null) return true;
    if (this.innermost === "(") this.#open.pop();
    return false;
  }

  /** Where the command begins, after words such as `then`; for a loop or a choice, after the values that it goes through. */
  #beginning(): number {
    let begin = 0;
    for (let word = this.#words[0]; word !== undefined && isReserved(word); word = this.#words[begin]) {
      const values = ownValue(VALUES_END, word.text);
      begin += 1;
      if (values === undefined) continue;
      const end = this.#words.findIndex(({ text, isQuoted }, place) => place >= begin && text === values && !isQuoted);
      begin = end === -1 ? this.#words.length : end + 1;
    }
    return begin;
  }

  #endRedirection(operator: string, word: OpenWord): void {
    this.#redirection = null;
    if (operator === "<<<") {
      this.#command.input = `${word.text}\n`;
    } else if (operator.startsWith("<<")) {
      const { text: end, isQuoted } = word;
      // It is meant as it is written, which is not kept.
      if (end.includes(UNKNOWN)) throw new Unreadable();
      this.#documents.push({ command: this.#command, end, isQuoted, stripsTabs: operator === "<<-" });
    } else if (!NO_FILE.test(word.text)) {
      this.#command.redirects = true;
    }
  }
}

function isReserved({ text, isQuoted }: OpenWord): boolean {
  return !isQuoted && RESERVED.has(text);
}

function emptyCommand(): ShellCommand {
  return { words: [], assigns: false, redirects: false, input: null };
}
