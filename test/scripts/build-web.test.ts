/** The web app is built when what it is made of has changed, and only then. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildWeb } from "#scripts/instance/build-web.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

let root = "";
let built = "";

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "reveille-web-"));
  built = path.join(root, "state", "web-app");
  await mkdir(path.join(root, "web"));
  await mkdir(path.join(root, "state"));
  for (const name of ["node_modules", "package-lock.json", "tsconfig.base.json"]) {
    await symlink(path.join(ROOT, name), path.join(root, name));
  }
  await write("index.html", '<!doctype html><title>t</title><script type="module" src="/main.ts"></script>');
  await write("main.ts", 'document.title = "one" satisfies string;');
});

afterEach(() => rm(root, { recursive: true }));

function write(name: string, text: string): Promise<void> {
  return writeFile(path.join(root, "web", name), text);
}

function build() {
  return buildWeb(root, built, new AbortController().signal);
}

/** The built script, by its name and what is in it. */
async function readScript(): Promise<{ name: string; text: string }> {
  const [name = ""] = await readdir(path.join(built, "assets"));
  return { name, text: await readFile(path.join(built, "assets", name), "utf8") };
}

it("is left as it is while its sources are the same, and made anew when one of them changes", async () => {
  expect(await build()).toMatchObject({ ok: true });
  const first = await readScript();
  expect(first.text).toContain("one");
  expect(await readFile(path.join(built, "index.html"), "utf8")).toContain(`/assets/${first.name}`);

  const before = await stat(path.join(built, "assets", first.name));
  expect(await build()).toMatchObject({ ok: true });
  expect((await stat(path.join(built, "assets", first.name))).ino).toBe(before.ino);

  // Cut off, by a disk that was full for instance.
  await writeFile(path.join(built, "assets", first.name), "");
  expect(await build()).toMatchObject({ ok: true });
  expect(await readScript()).toEqual(first);

  await write("main.ts", 'document.title = "two";');
  expect(await build()).toMatchObject({ ok: true });
  const second = await readScript();
  expect(second.name).not.toBe(first.name);
  expect(second.text).toContain("two");
});

it("that can't be built is no reason to serve what was built before", async () => {
  await build();
  await write("main.ts", "this is no program");
  const failure = await build();
  expect(failure).toMatchObject({ ok: false, message: expect.stringContaining("main.ts") });
  expect(await build()).toMatchObject({ ok: false });
});
