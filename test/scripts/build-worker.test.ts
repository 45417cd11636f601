/** The worker is built from wrangler.toml alone: what a person keeps beside it is read elsewhere. */
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { buildWorker } from "#scripts/instance/build-worker.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

it("is built beside a .dev.vars and a .env, and takes nothing from them", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "reveille-build-"));
  try {
    for (const name of await readdir(ROOT)) {
      if (!name.startsWith(".")) await symlink(path.join(ROOT, name), path.join(root, name));
    }
    await writeFile(path.join(root, ".dev.vars"), "ANTHROPIC_API_KEY=key-of-a-person\n");
    await writeFile(path.join(root, ".env"), "FOO=value-of-a-person\n");
    const built = await buildWorker(root, path.join(root, "built"), new AbortController().signal);
    if (!built.ok) throw new Error(built.message);
    const options = await readFile(built.value.options, "utf8");
    expect(JSON.parse(options)).toMatchObject({ d1Databases: { DB: expect.anything() } });
    expect(options).not.toContain("of-a-person");
    expect(await readdir(built.value.folder)).toContain("index.js");
  } finally {
    await rm(root, { recursive: true });
  }
});
