/** Builds the package: programs as JavaScript, since Node strips no types in node_modules, and a manifest of its own. */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import path from "node:path";
import { z } from "zod";
import { runCommand } from "#scripts/child-process.ts";
import { failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";

const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});
type Manifest = z.infer<typeof manifestSchema>;

/** What goes in as it is: from, to. */
const FILES = [
  ["cli/reveille.mjs", "cli/reveille.mjs"],
  ["cli/reveille-runner.service", "reveille-runner.service"],
  ["docs/own-runners.md", "README.md"],
] as const;
const BUILD_DEADLINE_MS = 120_000;

/** @param folder for the package, and for what it is made from. @returns the package's file. */
export async function buildPackage(root: string, folder: string): Promise<Outcome<string>> {
  const stage = path.join(folder, "package");
  const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/" };
  try {
    await rm(stage, { recursive: true, force: true });
    await mkdir(stage, { recursive: true });
    const compiler = path.join(root, "node_modules", ".bin", "tsc");
    const words = ["-p", path.join(root, "tsconfig.package.json"), "--outDir", stage];
    const compiled = await runCommand(compiler, words, { cwd: root, env, deadlineMs: BUILD_DEADLINE_MS });
    if (!compiled.ok) return compiled;
    for (const [from, to] of FILES) {
      await mkdir(path.dirname(path.join(stage, to)), { recursive: true });
      await copyFile(path.join(root, from), path.join(stage, to));
    }
    const own = manifestSchema.parse(JSON.parse(await readFile(path.join(root, "package.json"), "utf8")));
    const manifest = packageManifest(own, await packagesIn(stage), await foldersIn(stage));
    await writeFile(path.join(stage, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    const packed = await runCommand("npm", ["pack", "--silent", "--pack-destination", folder], {
      cwd: stage,
      env,
      deadlineMs: BUILD_DEADLINE_MS,
    });
    return packed.ok ? succeeded(path.join(folder, packed.stdout.trim())) : packed;
  } catch (error) {
    return failed(`The package can't be built: ${messageOf(error)}`);
  }
}

/** @param packages that its files import. @param folders of its own, which they call by `#folder/…`. */
function packageManifest(own: Manifest, packages: readonly string[], folders: readonly string[]) {
  const versions: Record<string, string> = { ...own.devDependencies, ...own.dependencies };
  // For machines whose own Node is too old.
  const names = [...packages, "node"].sort();
  const missing = names.filter((name) => versions[name] === undefined);
  if (missing.length > 0) throw new Error(`package.json has no version of ${missing.join(", ")}`);
  const { name, version, description, license } = own;
  return {
    name,
    version,
    description,
    license,
    type: "module",
    bin: { reveille: "cli/reveille.mjs" },
    engines: { node: ">=20" },
    imports: Object.fromEntries(folders.map((folder) => [`#${folder}/*.ts`, `./${folder}/*.js`])),
    dependencies: Object.fromEntries(names.map((one) => [one, versions[one]])),
  };
}

async function foldersIn(stage: string): Promise<string[]> {
  const entries = await readdir(stage, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function packagesIn(stage: string): Promise<string[]> {
  const found = new Set<string>();
  for (const entry of await readdir(stage, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".js")) continue;
    for (const name of importedPackages(await readFile(path.join(entry.parentPath, entry.name), "utf8")))
      found.add(name);
  }
  return [...found];
}

/** The packages that a program imports, by name. */
function importedPackages(program: string): string[] {
  const specifiers = [...program.matchAll(/(?:\bfrom|^import|\bimport\(|\bimport\.meta\.resolve\()\s*"([^"\s]+)"/gm)];
  return specifiers
    .flatMap(([, specifier = ""]) => /^(?![.#]|node:)((?:@[^/]+\/)?[^/]+)/.exec(specifier)?.[1] ?? [])
    .filter((name) => !builtinModules.includes(name));
}
