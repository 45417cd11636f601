/** What a local instance builds for itself is kept while what it is made of is the same, and while it is as it was made. */
import { createHash, type Hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { codeOf, type Outcome, succeeded } from "#scripts/outcome.ts";

export interface Making {
  /** The file that tells, beside what was made, of what: it is there only for what was made to the end. */
  mark: string;
  /** Folders and files that are read, and whatever else the result depends on. */
  sources: readonly string[];
  settings?: readonly string[];
  /** Folders and files that are made. */
  results: readonly string[];
  make: () => Promise<Outcome<null>>;
}

/** Makes it, unless all results are there unchanged and were made of the same. A failure leaves nothing that counts as made. */
export async function madeOnce({ mark, sources, settings = [], results, make }: Making): Promise<Outcome<null>> {
  const of = hashFiles(sources, settings);
  if (readText(mark) === markText(of, results)) return succeeded(null);
  await rm(mark, { force: true });
  const made = await make();
  if (!made.ok) return made;
  const draft = `${mark}.${process.pid}.draft`;
  await writeFile(draft, markText(of, results));
  await rename(draft, mark);
  return succeeded(null);
}

function markText(of: string, results: readonly string[]): string {
  return `${of}\n${hashFiles(results, [])}\n`;
}

/** One hash of names and contents. What is not there counts as such. */
function hashFiles(places: readonly string[], settings: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(settings));
  for (const [index, place] of places.entries()) addPlace(hash, place, `${index}`);
  return hash.digest("hex");
}

/** @param name by which it is told from others: its place in the list, and the way to it from there. */
function addPlace(hash: Hash, place: string, name: string): void {
  try {
    const content = readFileSync(place);
    hash.update(`${name}\0${content.length}\0`).update(content);
  } catch (error) {
    if (codeOf(error) === "ENOENT") hash.update(`${name}\0absent\0`);
    else if (codeOf(error) === "EISDIR") addFolder(hash, place, name);
    else throw error;
  }
}

function addFolder(hash: Hash, folder: string, name: string): void {
  hash.update(`${name}\0folder\0`);
  for (const entry of readdirSync(folder).sort()) addPlace(hash, path.join(folder, entry), `${name}/${entry}`);
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
