/** `reveille export`: all that an instance has of its routines, of one, or of what names one sign-in, as JSON lines. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type AddCommand, URL_OPTION } from "../command.ts";
import { type InstanceOptions, instanceOf } from "../doctor/instance.ts";
import { EXIT } from "../exit-codes.ts";
import { Broken, exportLines } from "./export-lines.ts";

interface ExportOptions extends InstanceOptions {
  routine?: string;
  signIn?: string;
  out?: string;
}

export const addExport: AddCommand = (program, { terminal, environment, end }) => {
  program
    .command("export")
    .description("write what an instance keeps as JSON lines: all routines, one, or what names one sign-in")
    .option(...URL_OPTION)
    .option("--token-file <file>", "the file that holds the owner's token (OWNER_TOKEN)")
    .option("--routine <id>", "one routine alone")
    .option(
      "--sign-in <id>",
      "the lines alone that name this sign-in, of all routines (GET /api/v1/sign-ins lists them)",
    )
    .option("--out <file>", "write to this file, which is there when it is whole, and not to standard output")
    .action(async (options: ExportOptions) => {
      const found = await instanceOf(options, environment, process.cwd());
      const fault = found.ok ? faultOf(options, found.instance.token) : found.fault;
      if (!found.ok || fault !== null) {
        terminal.say(fault ?? "");
        end(EXIT.wrongUse);
        return;
      }
      const { url, token } = found.instance;
      const { routine = null, signIn = null, out } = options;
      const asked = { url, token: token ?? "", routine, signIn, ask: fetch, pause };
      try {
        const count =
          out === undefined ? await say(exportLines(asked), terminal.out) : await write(exportLines(asked), out);
        terminal.say(`${count} lines. Values of secrets are in none.`);
        end(EXIT.done);
      } catch (error) {
        const status = error instanceof Broken ? error.status : null;
        terminal.say(error instanceof Error ? error.message : String(error));
        end(status === 401 ? EXIT.notSignedIn : status === 404 ? EXIT.notFound : EXIT.failed);
      }
    });
};

function faultOf({ routine, signIn }: ExportOptions, token: string | null): string | null {
  if (token === null) return "An export needs the owner's token: set OWNER_TOKEN, or give --token-file.";
  if (routine !== undefined && signIn !== undefined) return "--routine and --sign-in: give one of them.";
  return null;
}

async function say(lines: AsyncIterable<string>, out: (line: string) => void): Promise<number> {
  let count = 0;
  for await (const line of lines) {
    out(line);
    count += 1;
  }
  return count;
}

/** Whoever finds the file finds it whole. */
async function write(lines: AsyncIterable<string>, path: string): Promise<number> {
  const part = `${path}.part`;
  const file = createWriteStream(part, { mode: 0o600 });
  let count = 0;
  for await (const line of lines) {
    if (!file.write(`${line}\n`)) await once(file, "drain");
    count += 1;
  }
  file.end();
  await once(file, "finish");
  await rename(part, path);
  return count;
}
