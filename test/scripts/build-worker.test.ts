/** The worker is built from wrangler.toml alone: what a person keeps beside it is read elsewhere. */
import { copyFile, cp, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type BuiltWorker, buildWorker, WORKER_SOURCES } from "#scripts/instance/build-worker.ts";

/** Builds, on a machine that may have much else to do. */
const BUILDS_DEADLINE_MS = 240_000;
const ROOT = path.resolve(import.meta.dirname, "../..");

/** Has all that the project has, but a wrangler.toml of its own, and a person's files beside it. */
let root: string;
/** By the one build that both tests look at. */
let built: BuiltWorker;

async function build(): Promise<BuiltWorker> {
  const made = await buildWorker(root, path.join(root, "built"), new AbortController().signal);
  if (!made.ok) throw new Error(made.message);
  return made.value;
}

async function setCompatibilityDate(date: string): Promise<void> {
  const config = await readFile(path.join(ROOT, "wrangler.toml"), "utf8");
  const dated = config.replace(/^compatibility_date = .+$/m, `compatibility_date = "${date}"`);
  await writeFile(path.join(root, "wrangler.toml"), dated);
}

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "reveille-build-"));
  for (const name of await readdir(ROOT)) {
    if (!name.startsWith(".") && name !== "wrangler.toml") await symlink(path.join(ROOT, name), path.join(root, name));
  }
  await writeFile(path.join(root, ".dev.vars"), "ANTHROPIC_API_KEY=key-of-a-person\n");
  await writeFile(path.join(root, ".env"), "FOO=value-of-a-person\n");
  await setCompatibilityDate("2026-10-01");
  built = await build();
}, BUILDS_DEADLINE_MS);
afterAll(() => rm(root, { recursive: true }));

it("is built beside a .dev.vars and a .env, and takes nothing from them", async () => {
  const options = await readFile(built.options, "utf8");
  expect(JSON.parse(options)).toMatchObject({ d1Databases: { DB: expect.anything() } });
  expect(options).not.toContain("of-a-person");
  expect(await readdir(built.folder)).toContain("index.js");
});

it("counts as built where it is copied to, as far from its sources", async () => {
  const copy = path.join(root, "copy");
  await cp(path.join(root, "built"), copy, { recursive: true });
  await copyFile(path.join(root, "built.made-of"), `${copy}.made-of`);
  expect(await readFile(built.options, "utf8")).not.toContain(root);
  const bundle = path.join(copy, "bundle", "index.js");
  const { ino } = await stat(bundle);
  expect((await buildWorker(root, copy, new AbortController().signal)).ok).toBe(true);
  expect((await stat(bundle)).ino).toBe(ino);
});

it(
  "is built anew when what it is made of has changed, and knows every file that is in it",
  async () => {
    const bundle = path.join(built.folder, "index.js");
    const { mtimeMs } = await stat(bundle);
    const told: { sources: string[] } = JSON.parse(await readFile(`${bundle}.map`, "utf8"));
    const places = [await realpath(ROOT), await realpath(root)];
    const sources = told.sources
      .map((name) => path.resolve(path.dirname(bundle), name))
      .flatMap((file) =>
        places.filter((place) => file.startsWith(`${place}/`)).map((place) => path.relative(place, file)),
      )
      .filter((name) => !name.startsWith("node_modules/"));
    expect(sources.length).toBeGreaterThan(100);
    const known = (name: string) => WORKER_SOURCES.some((source) => name === source || name.startsWith(`${source}/`));
    expect(sources.filter((name) => !known(name))).toEqual([]);

    await build();
    expect((await stat(bundle)).mtimeMs).toBe(mtimeMs);
    await setCompatibilityDate("2026-10-02");
    await build();
    expect(await readFile(built.options, "utf8")).toContain('"compatibilityDate":"2026-10-02"');
  },
  BUILDS_DEADLINE_MS,
);
