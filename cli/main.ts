/** `reveille`: reads the command line, and runs one command. */
import { Command, CommanderError } from "commander";
import type { AddCommand, Variables } from "./command.ts";
import { addDoctor } from "./doctor/doctor-command.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { addExportData } from "./export-data/export-data-command.ts";
import { addRunner } from "./runner/runner-command.ts";
import { terminal as ownTerminal, type Terminal } from "./terminal.ts";
import { ownVersion } from "./version.ts";

const COMMANDS: readonly AddCommand[] = [addRunner, addDoctor, addExportData];

/** @param words of the command line, without the program. @returns the exit code. */
export async function main(
  words: readonly string[],
  terminal: Terminal = ownTerminal,
  environment: Variables = process.env,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const end = (how: ExitCode) => {
    code = how;
  };
  const program = new Command("reveille")
    .description("Claude Code routines that a team runs itself.")
    .version(ownVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
    });
  for (const add of COMMANDS) add(program, { terminal, environment, end });
  try {
    await program.parseAsync([...words], { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has said what is wrong, or has shown what was asked for.
    return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
  }
}
