/** The runner's own name in its pool: made once, and kept in its state folder. */
import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { runnerIdSchema } from "#protocol/runner-link.ts";

const DRAWN_BYTES = 4;
/** A machine's name is cut, so that there is room for what is drawn. */
const NAME_LENGTH = 48;

/** @returns the id that the folder has, made now if it has none that can be used. @throws when it can't be written. */
export async function keptRunnerId(stateFolder: string): Promise<string> {
  const path = join(stateFolder, "runner-id");
  const kept = runnerIdSchema.safeParse((await readFile(path, "utf8").catch(() => "")).trim());
  if (kept.success) return kept.data;
  const id = newRunnerId(hostname(), randomBytes(DRAWN_BYTES).toString("hex"));
  // Whole or not at all: half a name would be another one.
  await writeFile(`${path}.new`, `${id}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return id;
}

/** Machines are often named alike, so the name of one alone would be taken for another's. */
export function newRunnerId(host: string, drawn: string): string {
  const name = host.replace(/[^A-Za-z0-9._-]/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return `${name.slice(0, NAME_LENGTH) || "runner"}-${drawn}`;
}
