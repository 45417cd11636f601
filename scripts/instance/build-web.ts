/** Builds the web app for a local instance, when what it is made of has changed. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { runCommand } from "#scripts/child-process.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { toolEnvironment } from "./tool-environment.ts";

const BUILD_DEADLINE_MS = 120_000;
/** Beside the sources in `web`; of `protocol` the web app takes types, which leave nothing behind. */
const OTHER_SOURCES = ["package-lock.json", "tsconfig.base.json"];

/**
 * @param root the project's folder.
 * @param folder gets the built files; it and the mark beside it belong to the build.
 */
export async function buildWeb(root: string, folder: string, signal: AbortSignal): Promise<Outcome<null>> {
  const mark = `${folder}.made-of`;
  const sources = await hashSources(root);
  if (existsSync(path.join(folder, "index.html")) && (await readMark(mark)) === sources) return succeeded(null);
  await rm(mark, { force: true });
  const vite = path.join(root, "node_modules", "vite", "bin", "vite.js");
  const args = [vite, "build", path.join(root, "web"), "--outDir", folder, "--emptyOutDir"];
  const env = toolEnvironment();
  const built = await runCommand(process.execPath, args, { cwd: root, env, deadlineMs: BUILD_DEADLINE_MS, signal });
  if (!built.ok) return failed(`The web app could not be built: ${built.message}`);
  await writeFile(mark, sources);
  return succeeded(null);
}

/** One hash of the names and contents of everything that the web app is made of. */
async function hashSources(root: string): Promise<string> {
  const found = await readdir(path.join(root, "web"), { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
  const hash = createHash("sha256");
  for (const file of [...files.sort(), ...OTHER_SOURCES.map((name) => path.join(root, name))]) {
    const content = await readFile(file);
    hash.update(`${path.relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

async function readMark(file: string): Promise<string | null> {
  return await readFile(file, "utf8").catch(() => null);
}
