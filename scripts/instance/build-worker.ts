/** Bundles the worker as a deploy would, and reads its bindings from wrangler.toml, when what it is made of has changed. */
import { copyFile, mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { runCommand } from "#scripts/child-process.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { madeOnce } from "./made-of.ts";
import { toolEnvironment } from "./tool-environment.ts";

const BUILD_DEADLINE_MS = 120_000;

/** All that the bundle and the options are made of, the versions of what makes them included. */
export const WORKER_SOURCES: readonly string[] = [
  "worker",
  "durable-objects",
  "instance",
  "rules",
  "protocol",
  "migrations",
  "wrangler.toml",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.base.json",
  "scripts/instance/build-worker.ts",
  "scripts/instance/write-worker-options.ts",
];

/** What the worker's host serves. */
export interface BuiltWorker {
  /** The folder with the entry `index.js` and the modules that it imports as text or data. */
  folder: string;
  /** A file: Miniflare's options for the bindings of wrangler.toml. */
  options: string;
}

/**
 * @param root the project's folder.
 * @param folder gets what is built, after being emptied; it and the mark beside it belong to the build.
 */
export async function buildWorker(root: string, folder: string, signal: AbortSignal): Promise<Outcome<BuiltWorker>> {
  const bundle = path.join(folder, "bundle");
  const options = path.join(folder, "options.json");
  const made = await madeOnce({
    mark: `${folder}.made-of`,
    sources: WORKER_SOURCES.map((name) => path.join(root, name)),
    // Traces name the sources by the way to them from here.
    settings: [root, path.relative(folder, root)],
    results: [bundle, options],
    make: () => build(root, folder, bundle, options, signal),
  });
  return made.ok ? succeeded({ folder: bundle, options }) : made;
}

async function build(
  root: string,
  folder: string,
  bundle: string,
  options: string,
  signal: AbortSignal,
): Promise<Outcome<null>> {
  const noAssets = path.join(folder, "no-assets");
  await rm(folder, { recursive: true, force: true });
  await mkdir(noAssets, { recursive: true });
  const env = { ...toolEnvironment(), WRANGLER_LOG_PATH: path.join(folder, "logs"), XDG_CONFIG_HOME: folder };
  const run = (args: string[]) =>
    runCommand(process.execPath, args, { cwd: root, env, deadlineMs: BUILD_DEADLINE_MS, signal });
  const wrangler = path.join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  // A copy, away from .dev.vars and .env: those are read by us, and their values travel to the worker another way.
  const config = path.join(folder, "wrangler.toml");
  await copyFile(path.join(root, "wrangler.toml"), config);
  const [bundled, written] = await Promise.all([
    // The web app and the container's image are built by themselves: an empty folder here, and no engine is asked for.
    run([wrangler, "deploy", "--dry-run", "--containers-rollout=none", "--outdir", bundle, "--assets", noAssets]),
    run([path.join(import.meta.dirname, "write-worker-options.ts"), config, options]),
  ]);
  if (!bundled.ok) return failed(`The worker could not be built: ${bundled.message}`);
  if (!written.ok) return failed(`wrangler.toml could not be read: ${written.message}`);
  return succeeded(null);
}
