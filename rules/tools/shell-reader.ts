/**
 * The commands that a shell's text has, those in its substitutions among them. Pure. A text that can be read in two ways is
 * read as having more commands, or not at all.
 */
import { CommandList, type PendingDocument, type ShellCommand, UNKNOWN, Unreadable } from "./command-list.ts";
import { decodeEscapes, NAME, PLAIN, PLAIN_DOCUMENT, PLAIN_QUOTED, pathVariables, REDIRECTION } from "./shell-signs.ts";
import { TextCursor } from "./text-cursor.ts";

/** @returns null where the text is no whole command line, or has more than so many levels of substitutions. */
export function readShell(text: string, levels: number): ShellCommand[] | null {
  const commands: ShellCommand[] = [];
  try {
    new Reader(text, levels, commands).readAll();
    return commands;
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

class Reader {
  readonly #text: TextCursor;
  readonly #commands: ShellCommand[];
  readonly #documents: PendingDocument[] = [];
  readonly #paths: readonly string[];
  #levels: number;
  /** How many documents are owed to lists outside of the substitution that is being read. */
  #owedOutside = 0;

  constructor(text: string, levels: number, commands: ShellCommand[]) {
    if (levels <= 0 || text.includes(UNKNOWN)) throw new Unreadable();
    this.#text = new TextCursor(text);
    this.#levels = levels;
    this.#commands = commands;
    this.#paths = pathVariables(text);
  }

  readAll(): void {
    this.#readList(null);
    // A document that nothing ends goes to the text's end.
    this.#readDocuments();
  }

  /** What a text that is put in, as between double quotes, says. */
  readDocument(): string {
    const list = new CommandList([], []);
    this.#readQuoted(list, null);
    return list.word?.text ?? "";
  }

  /** @param end what ends the list; null for the text's own end. */
  #readList(end: ")" | null): void {
    if (this.#levels <= 0) throw new Unreadable();
    this.#levels -= 1;
    const list = new CommandList(this.#commands, this.#documents);
    const owedBefore = this.#owedOutside;
    if (end !== null) this.#owedOutside = this.#documents.length;
    while (!this.#text.isAtEnd) {
      const plain = this.#text.take(PLAIN);
      if (plain !== "") list.add(plain);
      else if (this.#text.next === ")") {
        this.#text.at += 1;
        if (!list.leave()) continue;
        // Shells differ in where a document begins whose substitution has ended before it.
        if (end === null || this.#documents.length > this.#owedOutside) throw new Unreadable();
        this.#owedOutside = owedBefore;
        this.#levels += 1;
        return;
      } else this.#readSpecial(list, this.#text.next);
    }
    list.endCommand();
    if (end !== null || list.innermost !== null) throw new Unreadable();
    this.#levels += 1;
  }

  #readSpecial(list: CommandList, character: string): void {
    this.#text.at += 1;
    switch (character) {
      case " ":
      case "\t":
        list.endWord();
        break;
      case "\n":
        list.endCommand();
        // What is owed outside comes after the substitution, in newer shells.
        if (this.#owedOutside > 0) throw new Unreadable();
        this.#readDocuments();
        break;
      case ";":
      case "|":
        list.endCommand();
        break;
      case "&":
        if (this.#text.take(/>>?/y) === "") list.endCommand();
        else list.redirect("&>");
        break;
      case "<":
      case ">":
        this.#readRedirection(list);
        break;
      case "(":
        if (list.word === null && this.#text.next === "(" && this.#skipArithmetic()) list.endCommand();
        else list.enter();
        break;
      case "#":
        if (list.word !== null) list.add("#");
        else this.#text.take(/[^\n]*/y);
        break;
      case "*":
      case "?":
        list.add(UNKNOWN, { spreads: true });
        break;
      case "[":
        this.#readBracket(list);
        break;
      case "{":
        this.#readBrace(list);
        break;
      default:
        if (!this.#readQuoting(list, character)) list.add(character);
    }
  }

  /** @returns false, and has read nothing, where the character means only itself. */
  #readQuoting(list: CommandList, character: string): boolean {
    if (character === "\\") this.#readEscaped(list);
    else if (character === "'") this.#readSingle(list);
    else if (character === '"') this.#readQuoted(list, '"');
    else if (character === "`") this.#readBackticks(list, false);
    else if (character === "$") this.#readDollar(list, false);
    else return false;
    return true;
  }

  #readEscaped(list: CommandList): void {
    if (this.#text.isAtEnd) throw new Unreadable();
    const character = this.#text.step();
    if (character !== "\n") list.add(character, { isQuoted: true });
  }

  #readSingle(list: CommandList): void {
    const text = this.#text.takeUntil("'");
    if (text === null) throw new Unreadable();
    list.add(text, { isQuoted: true });
  }

  /** @param end null in a document, where quotes mean nothing and the text's end is its own. */
  #readQuoted(list: CommandList, end: '"' | null): void {
    list.add("", { isQuoted: true });
    while (!this.#text.isAtEnd) {
      const plain = this.#text.take(end === null ? PLAIN_DOCUMENT : PLAIN_QUOTED);
      if (plain !== "") {
        list.add(plain);
        continue;
      }
      const character = this.#text.step();
      if (character === end) return;
      if (character === "$") this.#readDollar(list, true);
      else if (character === "`") this.#readBackticks(list, true);
      else {
        const next = this.#text.step();
        if (next !== "\n") list.add(/^[$`"\\]$/.test(next) ? next : `\\${next}`);
      }
    }
    if (end !== null) throw new Unreadable();
  }

  /** A substitution where only its own commands matter. */
  #readInner(character: string): void {
    if (character === "$") this.#readDollar(new CommandList([], []), true);
    if (character === "`") this.#readBackticks(new CommandList([], []), true);
  }

  #readBackticks(list: CommandList, isQuoted: boolean): void {
    const inner = this.#text.take(/(?:[^`\\]|\\[\s\S])*`/y);
    if (inner === "") throw new Unreadable();
    const text = inner.slice(0, -1).replace(isQuoted ? /\\([$`\\"])/g : /\\([$`\\])/g, "$1");
    new Reader(text, this.#levels - 1, this.#commands).readAll();
    list.add(UNKNOWN, { isQuoted, spreads: !isQuoted });
  }

  #readDollar(list: CommandList, isQuoted: boolean): void {
    const name = this.#text.take(NAME);
    const character = this.#text.next;
    if (name !== "") {
      this.#addVariable(list, name, isQuoted);
    } else if (character === "(") {
      this.#text.at += 1;
      if (this.#text.next !== "(" || !this.#skipArithmetic()) this.#readList(")");
      list.add(UNKNOWN, { isQuoted, spreads: !isQuoted });
    } else if (character === "{") {
      this.#readBraces(list, isQuoted);
    } else if (!isQuoted && character === "'") {
      this.#readEscapes(list);
    } else if (/^[?#$!@*\-0-9]$/.test(character)) {
      this.#text.at += 1;
      list.add(UNKNOWN, { isQuoted, spreads: character === "@" || !isQuoted });
    } else if (character === "[") throw new Unreadable();
    else if (isQuoted || character !== '"') {
      // Before a double quote it has the text translated, and nothing else.
      list.add("$");
    }
  }

  #addVariable(list: CommandList, name: string, isQuoted: boolean): void {
    const isPath = this.#paths.includes(name);
    list.add(isPath ? `$${name}` : UNKNOWN, { isQuoted, spreads: !isPath && !isQuoted });
  }

  /** `${…}`, after its dollar. */
  #readBraces(list: CommandList, isQuoted: boolean): void {
    this.#text.at += 1;
    const from = this.#text.at;
    const name = this.#text.take(NAME);
    if (name !== "" && this.#text.next === "}") {
      this.#text.at += 1;
      this.#addVariable(list, name, isQuoted);
      return;
    }
    if (--this.#levels < 0) throw new Unreadable();
    while (this.#text.next !== "}") {
      const character = this.#text.step();
      if (character === "" || character === "'" || character === '"') throw new Unreadable();
      if (character === "\\") this.#text.at += 1;
      this.#readInner(character);
    }
    this.#levels += 1;
    const inner = this.#text.since(from);
    this.#text.at += 1;
    // The text of a variable is then run.
    if (inner.endsWith("@P")) throw new Unreadable();
    list.add(UNKNOWN, { isQuoted, spreads: !isQuoted || inner.includes("@") });
  }

  /** `$'…'`, after its dollar. */
  #readEscapes(list: CommandList): void {
    const quoted = this.#text.take(/'(?:[^'\\]|\\[\s\S])*'/y);
    if (quoted === "") throw new Unreadable();
    list.add(decodeEscapes(quoted.slice(1, -1)), { isQuoted: true });
  }

  /**
   * Between two parentheses, at the second.
   * @returns false, and has read nothing, where it is a list of commands in parentheses instead.
   */
  #skipArithmetic(): boolean {
    if (--this.#levels < 0) throw new Unreadable();
    const from = this.#text.at;
    const known = { commands: this.#commands.length, documents: this.#documents.length };
    let depth = 1;
    while (depth > 0) {
      const character = this.#text.step();
      if (character === "" || character === "'" || character === '"') throw new Unreadable();
      if (character === "(") depth += 1;
      if (character === ")") depth -= 1;
      if (character === "\\") this.#text.at += 1;
      this.#readInner(character);
      if (depth === 1 && character === ")" && this.#text.next !== ")") {
        this.#text.at = from;
        this.#commands.length = known.commands;
        this.#documents.length = known.documents;
        this.#levels += 1;
        return false;
      }
    }
    this.#levels += 1;
    return true;
  }

  #readRedirection(list: CommandList): void {
    if (this.#text.next === "(") {
      this.#text.at += 1;
      this.#readList(")");
      list.add(UNKNOWN);
    } else {
      this.#text.at -= 1;
      list.redirect(this.#text.take(REDIRECTION));
    }
  }

  /** Alone it is a command's name; else it begins a pattern of file names. */
  #readBracket(list: CommandList): void {
    const isName = (list.word === null || list.word.text === "[") && /^[\s[]?$/.test(this.#text.next);
    list.add(isName ? "[" : UNKNOWN, { spreads: !isName });
  }

  /** Alone it begins a group; with nothing in it, it is itself; else it may become several words. */
  #readBrace(list: CommandList): void {
    const isItself = /^[\s}]?$/.test(this.#text.next);
    list.add(isItself ? "{" : UNKNOWN, { spreads: !isItself });
  }

  /** What comes after the line that has just ended. */
  #readDocuments(): void {
    for (const { command, end, isQuoted, stripsTabs } of this.#documents.splice(0)) {
      const body = this.#text.takeDocument(end, { stripsTabs, joinsLines: !isQuoted });
      command.input = isQuoted ? body : new Reader(body, this.#levels - 1, this.#commands).readDocument();
    }
  }
}
