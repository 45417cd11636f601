/** The folder in which a local instance keeps everything, for its owner's eyes only. */
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { z } from "zod";
import { RUN_GROUP } from "#protocol/run-group.ts";
import { codeOf, failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";

/** Makes the folder when it is absent, and makes sure that it can be written and that nobody else can look inside. */
export async function prepareStateFolder(folder: string): Promise<Outcome<null>> {
  try {
    await makeFolder(folder);
    await chmod(folder, 0o700);
    await letRunsThrough(folder);
    const trial = path.join(folder, `.trial-${process.pid}`);
    await writePrivately(trial, "");
    await rm(trial);
    return succeeded(null);
  } catch (error) {
    const why = codeOf(error) === "EEXIST" || codeOf(error) === "ENOTDIR" ? "it is not a folder" : messageOf(error);
    return failed(`The state folder ${folder} can't be used (${why}): move it away or repair its permissions.`);
  }
}

/** A runner that is root does a run's work as a user of this group: it may go through the folder, not look into it. */
async function letRunsThrough(folder: string): Promise<void> {
  if (process.geteuid?.() !== 0 || process.platform !== "linux") return;
  try {
    await chown(folder, 0, RUN_GROUP);
    await chmod(folder, 0o710);
  } catch {
    // A root without that right: its runner finds out as well, and works as itself.
  }
}

/**
 * Reads one of the instance's JSON files.
 * @returns null when the file is absent; a failure when it is there and does not fit.
 */
export async function readStateFile<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
): Promise<Outcome<z.infer<Schema> | null>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return succeeded(null);
    return failed(`${file} can't be read (${messageOf(error)}): repair its permissions.`);
  }
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return succeeded(parsed.data);
  return failed(
    `${file} is damaged: restore it, or remove ${path.dirname(file)} to start afresh, without the routines and runs in it.`,
  );
}

/** Writes a JSON file whole or not at all, readable by its owner alone. */
export async function writeStateFile(file: string, value: unknown): Promise<void> {
  const draft = `${file}.${process.pid}.draft`;
  await writePrivately(draft, `${JSON.stringify(value, null, 2)}\n`);
  await rename(draft, file);
}

/** With its parents. Node's own recursion does not end where the system refuses a new folder as one that is not there. */
async function makeFolder(folder: string): Promise<void> {
  if (existsSync(folder)) return;
  if (!existsSync(path.dirname(folder))) await makeFolder(path.dirname(folder));
  await mkdir(folder, { mode: 0o700 });
  await letRunsThrough(folder);
}

async function writePrivately(file: string, text: string): Promise<void> {
  await rm(file, { force: true });
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
