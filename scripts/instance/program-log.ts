/** The log file of a program that a local instance runs: bounded, and with its last lines at hand. */
import { appendFileSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { printableLine } from "#scripts/terminal.ts";

const FILE_LIMIT_CHARACTERS = 8 * 1_048_576;
const LAST_LINES = 20;

export interface ProgramLog {
  file: string;
  write: (line: string) => void;
  /** The line that says why a program failed, as far as one can tell. */
  telling: () => string;
}

/** Starts the file afresh. When it is full it is kept as `<file>.old`, and a new one begins. */
export function openProgramLog(file: string): ProgramLog {
  const last: string[] = [];
  let size = 0;
  mkdirSync(path.dirname(file), { recursive: true });
  rmSync(file, { force: true });
  const find = (fits: (line: string) => boolean) => last.findLast(fits);
  return {
    file,
    telling: () =>
      find((line) => /\b(?:\w*Error|failed|fatal)\b/.test(line)) ??
      find((line) => line.trim() !== "") ??
      "It wrote nothing.",
    write: (text) => {
      const line = printableLine(text);
      last.push(line);
      if (last.length > LAST_LINES) last.shift();
      appendFileSync(file, `${line}\n`, { mode: 0o600 });
      size += line.length + 1;
      if (size < FILE_LIMIT_CHARACTERS) return;
      renameSync(file, `${file}.old`);
      size = 0;
    },
  };
}
