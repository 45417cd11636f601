/** Looks for secrets in the files of a folder, however they are written: in databases, logs, caches, repositories. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { Redactor } from "#rules/secrets/redactor.ts";

/** @param except names of files, from the folder on, that may hold them. @returns the files that do, from the folder on. */
export function filesWithSecrets(folder: string, secrets: readonly string[], except: readonly string[]): string[] {
  const redactor = new Redactor(secrets);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !except.includes(file))
    .filter((file) => redactor.look(readFileSync(path.join(folder, file), "latin1"), false).spans.length > 0)
    .toSorted();
}
