/** What a shell's text would run, also by way of commands that run what their arguments say. Pure. */
import { ownValue } from "#protocol/own-value.ts";
import { type ShellCommand, type ShellWord, UNKNOWN } from "./command-list.ts";
import { readShell } from "./shell-reader.ts";

export interface ShellCalls {
  commands: ShellCommand[];
  /** Programs in other languages that the text has. */
  programs: string[];
  /** False where something is run that the text does not say. */
  isClear: boolean;
}

/** A longer text is not read. */
const LENGTH_LIMIT = 65_536;
const LEVELS = 8;
/**
 * How many characters are read altogether. Each word of a text may begin a command that has all the words after it, and each
 * of these hands them on: without a bound a text of 3,000 characters is read for longer than anybody can wait. All that is read is
 * compared with each rule, while nothing else is done for the run.
 */
const READ_LIMIT = 262_144;

const words = (text: string) => new Set(text.split(" "));
const SHELLS = words("sh bash rbash dash zsh ksh mksh ash fish");
/** Options of a shell that have a value of their own. */
const SHELL_VALUES = words("-o +o -O +O --rcfile --init-file");
/** What reads a file of commands into the shell. */
const SOURCES = words("source .");
/** Commands that run the command which their arguments are. */
const CARRIERS = words(
  "env sudo doas nohup nice ionice chrt taskset time timeout stdbuf setsid exec command builtin xargs watch strace ltrace " +
    "parallel find fd flock chroot unshare nsenter bwrap script unbuffer ssh su runuser setpriv systemd-run busybox toybox " +
    "docker podman kubectl tmux screen entr hyperfine nodemon concurrently npx pnpx bunx uv uvx poetry pipenv bundle mise nix-shell",
);
/** Those that read more of its arguments than the text says. */
const APPENDING = words("xargs parallel");
/** How many arguments come before the command, beside options. */
const BEFORE_COMMAND: Readonly<Record<string, number>> = { flock: 1, chroot: 1, ssh: 1, docker: 2, podman: 2 };
const FIND_EXECUTES = words("-exec -execdir -ok -okdir -x -X --exec --exec-batch");
/** Commands that run a text which is one of their arguments. */
const TEXT_TAKERS = words(
  "eval trap alias watch su runuser script flock ssh parallel env npx npm pnpm yarn git nix-shell tmux screen hyperfine " +
    "nodemon concurrently",
);
/** Commands that run what they read, later. */
const LATER = words("at batch");
/** Settings of git's that are a command. */
const GIT_COMMANDS =
  /(?:pager|editor|command|cmd|fsmonitor|helper|program|proxy|askpass|textconv|driver|clean|smudge|process|difffilter)$/i;
/** Options of git's that are a command, with or without the option itself before it. */
const GIT_EXECUTES = /^-[A-Za-z]*x$|^--(?:exec|recursive|extcmd|[a-z]+-filter)$|^(?:foreach|run)$/;
/** What further arguments are put in for, in a shell's text. */
const MORE = '"$@"';

const LANGUAGES = /^(?:python[\d.]*|node|nodejs|deno|bun|perl|ruby|php|lua|[gmn]?awk|osascript|tclsh)$/;
const EVALUATE = /^-[A-Za-z]*[ceErp]$|^--(?:eval|print)$/;

export function callsOf(text: string): ShellCalls {
  const reading: Reading = { commands: [], programs: [], isClear: true, left: READ_LIMIT };
  const { commands, programs, isClear, left } = collect(text, LEVELS, reading);
  if (left >= 0) return { commands, programs, isClear };
  // Each of a policy's rules is compared with each command: of a text that is not clear anyway, with those alone that it has itself.
  return { commands: (readShell(text, LEVELS) ?? []).map(withOwnWords), programs: [], isClear: false };
}

interface Reading extends ShellCalls {
  /** So many characters may still be read. */
  left: number;
}

/** @returns whether so much may be read; where it may not, it is not clear what the text runs. */
function mayRead(calls: Reading, characters: number): boolean {
  calls.left -= characters;
  if (calls.left < 0) calls.isClear = false;
  return calls.left >= 0;
}

function collect(text: string, levels: number, calls: Reading): Reading {
  const isReadable = text.length <= LENGTH_LIMIT && !text.includes(UNKNOWN) && mayRead(calls, text.length);
  const commands = isReadable ? readShell(text, levels) : null;
  if (commands === null) {
    calls.isClear = false;
    return calls;
  }
  for (const command of commands) {
    calls.commands.push(withOwnWords(command));
    for (const start of commandStarts(command.words)) {
      if (calls.left < 0) break;
      collectFrom(command, start, levels, calls);
    }
  }
  return calls;
}

/** What is run by the command that begins at a word. */
function collectFrom(command: ShellCommand, start: number, levels: number, calls: Reading): void {
  const name = nameOf(command.words[start]);
  if (name === null || !isLookedInto(name)) return;
  const given = command.words.slice(start + 1);
  const characters = given.reduce((sum, { text }) => sum + text.length + 1, command.input?.length ?? 0);
  if (!mayRead(calls, characters)) return;
  if (LANGUAGES.test(name)) {
    calls.programs.push(...given.map(({ text }) => text), command.input ?? "");
    const evaluates = given.some(({ text }, place) => EVALUATE.test(text) && isOpen(given[place + 1]));
    const isRead = given.every(({ text }) => text === "-") && command.input === null && !/awk$/.test(name);
    if (evaluates || isRead) calls.isClear = false;
  }
  for (const text of textsFor(name, given, command.input)) {
    if (text === null) calls.isClear = false;
    else collect(text, levels - 1, calls);
  }
}

function isLookedInto(name: string): boolean {
  return LANGUAGES.test(name) || [SHELLS, SOURCES, LATER, TEXT_TAKERS].some((names) => names.has(name));
}

/** @returns the texts that a command hands to a shell: null for one that is not known. */
function textsFor(name: string, given: readonly ShellWord[], input: string | null): (string | null)[] {
  if (SHELLS.has(name)) return shellTexts(given, input);
  if (SOURCES.has(name)) return scriptTexts(given[0], input);
  if (LATER.has(name)) return scriptTexts(undefined, input);
  if (!TEXT_TAKERS.has(name)) return [];
  const plain = given.filter(({ text }) => !text.startsWith("-"));
  if (name === "eval") return given.length === 0 ? [] : [joined(given)];
  if (name === "trap") return plain.length < 2 ? [] : [joined(plain.slice(0, 1))];
  if (name === "alias") return plain.filter(({ text }) => text.includes("=")).map((word) => aliasText(joined([word])));
  if (name === "git") return gitTexts(given);
  const isAsked = given.some(({ text }) => /^-[A-Za-z]*c$|^--(?:call|command|run)$/.test(text));
  const texts = given.map((word) => joined([word]));
  return texts.filter((text) => (text === null ? isAsked : /[\s;&|$`(<]/.test(text))).map(withoutOption);
}

function shellTexts(given: readonly ShellWord[], input: string | null): (string | null)[] {
  const plain = given.filter(
    ({ text }, place) => !/^[-+]/.test(text) && !SHELL_VALUES.has(given[place - 1]?.text ?? ""),
  );
  const options = given.map(({ text }) => text).filter((text) => /^-[A-Za-z]/.test(text));
  if (options.some((text) => text.includes("c")) || given.some(({ text }) => text === "--command")) {
    return plain.length === 0 ? [null] : plain.map((word) => joined([word]));
  }
  return scriptTexts(options.some((text) => text.includes("s")) ? undefined : plain[0], input);
}

/** A file's commands are not looked into; what is read elsewhere has to be in the text. */
function scriptTexts(script: ShellWord | undefined, input: string | null): (string | null)[] {
  const isFile = script !== undefined && !/^(?:-|\/dev\/(?:stdin|fd\/.*)|\0)?$/.test(script.text) && !script.spreads;
  if (isFile) return [];
  return [input === null || input.includes(UNKNOWN) ? null : input];
}

/** Aliases and other settings that are a command, and commands for each submodule or commit. */
function gitTexts(given: readonly ShellWord[]): (string | null)[] {
  const foreach = given.findIndex(({ text }) => text === "foreach");
  return given.flatMap((word, place) => {
    const before = given[place - 1]?.text ?? "";
    const text = joined([word]);
    if (before === "-c") return settingTexts(word.text.split("=", 1)[0] ?? "", text?.replace(/^[^=]*=?/, "") ?? null);
    const fromVariable = /^--config-env=([^=]*)/.exec(word.text)?.[1];
    if (fromVariable !== undefined) return settingTexts(fromVariable, null);
    if (isGitCommand(before) && !before.includes("=")) return settingTexts(before, text);
    if (GIT_EXECUTES.test(before) || /^(?:--exec|--extcmd)=/.test(word.text)) return [withoutOption(text)];
    if (/^-x./.test(word.text)) return [text?.slice(2) ?? null];
    const isForeach = foreach !== -1 && foreach < place;
    return isForeach && text !== null && /\s/.test(text) ? [text] : [];
  });
}

function isGitCommand(setting: string): boolean {
  return /^[a-z]+\./i.test(setting) && (/^alias\./i.test(setting) || GIT_COMMANDS.test(setting));
}

/** @param value null where it is not known. */
function settingTexts(setting: string, value: string | null): (string | null)[] {
  if (!isGitCommand(setting)) return [];
  if (value === null || !/^alias\./i.test(setting)) return [value];
  return [aliasText(value.startsWith("!") ? `=${value.slice(1)}` : `=git ${value}`)];
}

/** What an alias stands for: it gets further arguments where it is called. */
function aliasText(definition: string | null): string | null {
  return definition === null ? null : `${definition.replace(/^[^=]*=/, "")} ${MORE}`;
}

/** Without `--option=` before it, or an option's letters that it is written to. */
function withoutOption(text: string | null): string | null {
  return text?.replace(/^--?[\w-]+=|^-[A-Za-z]*?[cS](?=\S)/, "") ?? null;
}

function joined(given: readonly ShellWord[]): string | null {
  return given.some(isOpen) ? null : given.map(({ text }) => text).join(" ");
}

/** Git has each of its commands as a program too. */
function withOwnWords(command: ShellCommand): ShellCommand {
  const [first, ...others] = command.words;
  const own = /^git-([a-z-]+)$/.exec(nameOf(first) ?? "")?.[1];
  if (own !== undefined) {
    const [git, name] = ["git", own].map((text) => ({ text, spreads: false })) as [ShellWord, ShellWord];
    return { ...command, words: [git, name, ...others] };
  }
  const appends = command.words.some((word) => APPENDING.has(nameOf(word) ?? ""));
  if (!appends) return command;
  // What `parallel` puts in stands in the text behind its own sign.
  const known = command.words.findIndex(({ text }) => /^:::/.test(text));
  const more = { text: UNKNOWN, spreads: true };
  return { ...command, words: [...(known === -1 ? command.words : command.words.slice(0, known)), more] };
}

/**
 * At which words a command may begin: the first one, and where that runs what comes after it, any other that is known, and
 * one that is not known where the command is to be expected.
 */
export function commandStarts(given: readonly ShellWord[]): number[] {
  if (given.length === 0) return [];
  const name = nameOf(given[0]);
  if (name === null || !carries(name) || /^-[vV]$/.test(given[1]?.text ?? "")) return [0];
  const executes = given.map((_word, place) => FIND_EXECUTES.has(given[place - 1]?.text ?? ""));
  const starts = [0];
  let before = ownValue(BEFORE_COMMAND, name) ?? 0;
  let isExpected = true;
  for (let place = 1; place < given.length; place += 1) {
    const word = given[place];
    if (word === undefined) break;
    const isFind = name === "find" || name === "fd";
    if (isFind ? executes[place] : !isOpen(word) || isExpected) starts.push(place);
    if (isOption(word) || isOption(given[place - 1])) continue;
    if (before > 0) before -= 1;
    else isExpected = false;
  }
  return starts;
}

function carries(name: string): boolean {
  return CARRIERS.has(name) || SHELLS.has(name) || SOURCES.has(name);
}

/** Options, assignments, and numbers and times such as those of `timeout`. */
function isOption(word: ShellWord | undefined): boolean {
  return word !== undefined && /^(?:-|[A-Za-z_]\w*=|\d+[smhd.\d]*$)/.test(word.text);
}

function isOpen(word: ShellWord | undefined): boolean {
  return word !== undefined && (word.spreads || word.text.includes(UNKNOWN));
}

/** A command's name without its folder; null where it is not known. */
export function nameOf(word: ShellWord | undefined): string | null {
  if (word === undefined || word.spreads) return null;
  const name = word.text.slice(word.text.lastIndexOf("/") + 1);
  return name.includes(UNKNOWN) ? null : name;
}
