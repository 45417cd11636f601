/** Bundles the executor for a local instance, when what it is made of has changed: one file loads in half of the time that a hundred take. */
import { mkdir, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { runCommand } from "#scripts/child-process.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { madeOnce } from "./made-of.ts";
import { toolEnvironment } from "./tool-environment.ts";

const BUILD_DEADLINE_MS = 120_000;
const SOURCES = [
  "sandbox-runner",
  "rules",
  "protocol",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.base.json",
  "scripts/instance/build-executor.ts",
  "scripts/instance/bundle-executor.ts",
];

/**
 * @param root the project's folder.
 * @param folder gets what is built, after being emptied; it and the mark beside it belong to the build.
 * @returns the program's file. The packages that are not in it are found by a link to those of the project.
 */
export async function buildExecutor(root: string, folder: string, signal: AbortSignal): Promise<Outcome<string>> {
  const bundle = path.join(folder, "bundle");
  const packages = path.join(folder, "node_modules");
  const made = await madeOnce({
    mark: `${folder}.made-of`,
    sources: SOURCES.map((name) => path.join(root, name)),
    settings: [root, path.relative(folder, root)],
    // A file behind the link tells whether that still leads anywhere.
    results: [bundle, path.join(packages, "@anthropic-ai", "claude-agent-sdk", "package.json")],
    make: async () => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      await symlink(path.join(root, "node_modules"), packages);
      const args = [path.join(import.meta.dirname, "bundle-executor.ts"), bundle];
      const env = toolEnvironment();
      const built = await runCommand(process.execPath, args, { cwd: root, env, deadlineMs: BUILD_DEADLINE_MS, signal });
      return built.ok ? succeeded(null) : failed(`The executor could not be built: ${built.message}`);
    },
  });
  return made.ok ? succeeded(path.join(bundle, "execute-run.js")) : made;
}
