/** `reveille` as npm installs it: its package, unpacked in a folder elsewhere, beside the packages that it needs. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildPackage } from "#scripts/package/build-package.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

export interface Installed {
  folder: string;
  /** What `node_modules/.bin/reveille` leads to. */
  program: string;
  remove(): void;
}

/** Builds the package, and installs it without a registry. @param version another than the package's own, as an upgrade has it. */
export async function installReveille(version?: string): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), "reveille-installed-"));
  const built = await buildPackage(ROOT, folder);
  if (!built.ok) throw new Error(built.message);
  // Others may go in, as where programs are installed.
  chmodSync(folder, 0o755);
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  const own = join(modules, "reveille");
  mkdirSync(own);
  execFileSync("tar", ["-xzf", built.value, "-C", own, "--strip-components=1"]);
  if (version !== undefined) {
    const manifest = JSON.parse(readFileSync(join(own, "package.json"), "utf8"));
    writeFileSync(join(own, "package.json"), JSON.stringify({ ...manifest, version }));
  }
  const program = join(own, "cli", "reveille.mjs");
  return { folder, program, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A Node on this machine that is too old for `reveille` itself; null where there is none. */
export function olderNode(): string | null {
  for (const folder of (process.env["PATH"] ?? "").split(":")) {
    try {
      const node = join(folder, "node");
      const version = execFileSync(node, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      if (Number(version.slice(1).split(".")[0]) < 24) return node;
    } catch {
      // Not there.
    }
  }
  return null;
}
