/** One temporary folder for everything that the bench builds and serves. It goes when the bench ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../..");

let folder: string | null = null;
let drawn = 0;

/** The path of a folder or file that nobody else uses. */
export function scratchPath(name: string): string {
  folder ??= makeFolder();
  drawn += 1;
  return path.join(folder, `${drawn}-${name}`);
}

function makeFolder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "reveille-bench-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true, maxRetries: 5 }));
  return made;
}
