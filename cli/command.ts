/** What a command of `reveille` is made of. */
import type { Command } from "commander";
import type { ExitCode } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

export interface CommandFrame {
  terminal: Terminal;
  environment: Variables;
  /** Says how the command has ended: to be called once, before its action settles. */
  end(code: ExitCode): void;
}

/** Adds one command, with its options and its action, to the program. */
export type AddCommand = (program: Command, frame: CommandFrame) => void;

/** Where the instance is: an option of every command that asks it something. */
export const URL_OPTION = ["--url <address>", "the instance's address (REVEILLE_URL)"] as const;
/** Every command has it: what a program can read, and nothing else, on standard output. */
export const JSON_OPTION = ["--json", "write JSON lines alone"] as const;
