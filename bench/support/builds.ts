/** The workers that are measured: ours as a deploy would bundle it, and the bare ones. Each is built once. */
import { cp, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { type BuiltWorker, buildWorker } from "#scripts/instance/build-worker.ts";
import { ROOT, scratchPath } from "./scratch.ts";

let reveille: Promise<BuiltWorker> | null = null;

export function builtReveille(): Promise<BuiltWorker> {
  reveille ??= build();
  return reveille;
}

/**
 * A bare worker is one file without imports of ours, with an object class `Bare` that is bound as `BARE`; those of
 * `container` have containers as ours. Whatever else
 * wrangler.toml says of our worker holds for it too.
 * @param name a file of bench/baseline.
 */
export async function builtBare(name: string): Promise<BuiltWorker> {
  const { options: ourOptions } = await builtReveille();
  const bundle = scratchPath(name);
  const options = scratchPath(`${name}.json`);
  const source = await readFile(path.join(ROOT, "bench/baseline", `${name}.ts`), "utf8");
  const ours = JSON.parse(await readFile(ourOptions, "utf8"));
  await mkdir(bundle, { recursive: true });
  await writeFile(path.join(bundle, "index.js"), stripTypeScriptTypes(source));
  const { container } = ours.durableObjects.SANDBOX;
  const durableObjects = {
    BARE: { className: "Bare", useSQLite: true, ...(name === "container" ? { container } : {}) },
  };
  await writeFile(options, JSON.stringify({ ...ours, durableObjects }));
  return { folder: bundle, options };
}

/** Ours with bench/counting/entry.ts in front of it. */
export async function builtCounting(): Promise<BuiltWorker> {
  const { folder, options } = await builtReveille();
  const bundle = scratchPath("counting");
  await cp(folder, bundle, { recursive: true });
  await rename(path.join(bundle, "index.js"), path.join(bundle, "reveille.js"));
  const source = await readFile(path.join(ROOT, "bench/counting/entry.ts"), "utf8");
  const entry = stripTypeScriptTypes(source).replaceAll('"#worker/index.ts"', '"./reveille.js"');
  await writeFile(path.join(bundle, "index.js"), entry);
  return { folder: bundle, options };
}

async function build(): Promise<BuiltWorker> {
  const built = await buildWorker(ROOT, scratchPath("reveille"), new AbortController().signal);
  if (!built.ok) throw new Error(built.message);
  return built.value;
}
