/** `reveille export-data`: all that an instance has of its routines, of one, or of what names one sign-in, as JSON lines. */

import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { ExportedLine } from "#protocol/export.ts";
import { errorText } from "#protocol/log.ts";
import { type AddCommand, JSON_OPTION, URL_OPTION } from "../command.ts";
import { type InstanceOptions, instanceOf } from "../doctor/instance.ts";
import { EXIT } from "../exit-codes.ts";
import { Broken, exportLines } from "./export-lines.ts";

interface ExportDataOptions extends InstanceOptions {
  routine?: string;
  signIn?: string;
  out?: string;
}

export const addExportData: AddCommand = (program, { terminal, environment, end }) => {
  program
    .command("export-data")
    .description("write what an instance keeps as JSON lines: all routines, one, or what names one sign-in")
    .option(...URL_OPTION)
    .option("--token-file <file>", "the file that holds the owner's token (OWNER_TOKEN)")
    .option("--routine <id>", "one routine alone")
    .option(
      "--sign-in <id>",
      "the lines alone that name this sign-in, of all routines (GET /api/v1/sign-ins lists them)",
    )
    .option("--out <file>", "write to this file, which is there when it is whole, and not to standard output")
    .option(...JSON_OPTION)
    .action(async (options: ExportDataOptions) => {
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
      const unread: string[] = [];
      const lines = noting(exportLines(asked), unread);
      try {
        const count = out === undefined ? await say(lines, terminal.out) : await write(lines, out);
        terminal.say(`${count} lines. Values of secrets are in none.`);
        for (const words of unread) terminal.say(words);
        end(unread.length === 0 ? EXIT.done : EXIT.failed);
      } catch (error) {
        const status = error instanceof Broken ? error.status : null;
        terminal.say(error instanceof Broken ? error.message : errorText(error));
        end(status === 401 ? EXIT.notSignedIn : status === 404 ? EXIT.notFound : EXIT.failed);
      }
    });
};

/** @param unread is given, in words, what the instance could not read. */
async function* noting(lines: AsyncIterable<string>, unread: string[]): AsyncGenerator<string, void> {
  for await (const line of lines) {
    if (line.startsWith('{"type":"unread"')) {
      const { routine_id, session_id, why } = JSON.parse(line) as Extract<ExportedLine, { type: "unread" }>;
      const what = session_id === null ? "" : `${session_id} of `;
      unread.push(`Not in it, or not whole: ${what}${routine_id}. ${why} Try again: --routine ${routine_id}`);
    }
    yield line;
  }
}

function faultOf({ routine, signIn }: ExportDataOptions, token: string | null): string | null {
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

/** Whoever finds the file finds it whole. @throws Broken that names the file, and says what to do, where it can't be written. */
async function write(lines: AsyncIterable<string>, path: string): Promise<number> {
  const part = `${path}.part`;
  let count = 0;
  async function* texts() {
    for await (const line of lines) {
      count += 1;
      yield `${line}\n`;
    }
  }
  try {
    await pipeline(texts, createWriteStream(part, { mode: 0o600 }));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const remedy = REMEDIES[code];
    throw remedy === undefined ? error : new Broken(`${path} can't be written (${code}): ${remedy}.`, null);
  }
  return count;
}

/** By the system's codes. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: "its folder is not there: make it, or give another --out",
  ENOTDIR: "what should be its folder is a file: give another --out",
  EISDIR: "it is a folder: give --out a file's name",
  EACCES: "you may not write there: give another --out, or change who may",
  EPERM: "you may not write there: give another --out, or change who may",
  EROFS: "nothing may be written there: give another --out",
  ENOSPC: "the disk is full: make room, or give an --out on another disk",
  EDQUOT: "you have used up your share of the disk: make room, or give an --out on another disk",
  EFBIG: "it is larger than a file may be there: give an --out on another disk",
  ENAMETOOLONG: "the name is too long: give another --out",
};
