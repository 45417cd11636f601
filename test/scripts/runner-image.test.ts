/** The runner's image: its name changes with what goes into it and with nothing else, and it is built only where it is missing. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureRunnerImage, type ImageRecipe, readRecipe, runnerImageName } from "#scripts/containers/runner-image.ts";

const PLAIN: ImageRecipe = { variant: "default", base: null };
const PROJECT = path.join(import.meta.dirname, "..", "..");

let root = "";
let server: Server;
/** What the engine answers when it is asked for an image. */
let status = 404;

beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), "reveille-image-"));
  for (const folder of ["protocol/deep", "rules", "sandbox-runner", "web"])
    mkdirSync(path.join(root, folder), { recursive: true });
  write("sandbox-runner/Dockerfile", "FROM scratch");
  cpSync(path.join(PROJECT, ".dockerignore"), path.join(root, ".dockerignore"));
  server = createServer((_request, answer) => answer.writeHead(status).end("{}"));
  await new Promise<void>((ready) => server.listen(path.join(root, "engine.sock"), ready));
});

afterEach(() => {
  server.close();
  rmSync(root, { recursive: true, force: true });
});

function write(file: string, text: string): void {
  writeFileSync(path.join(root, file), text);
}

describe("the name", () => {
  it.each([
    ["a source", () => write("protocol/deep/one.ts", "1"), true],
    ["the Dockerfile", () => write("sandbox-runner/Dockerfile", "FROM other"), true],
    ["what is left out", () => write(".dockerignore", "*"), true],
    ["the web app", () => write("web/main.ts", "1"), false],
  ])("when %s has changed", (_what, change, isOther) => {
    const before = runnerImageName(root, PLAIN);
    change();
    expect(runnerImageName(root, PLAIN) !== before).toBe(isOther);
  });

  it("tells one file's end from the next one's beginning", () => {
    write("rules/a", "b");
    const before = runnerImageName(root, PLAIN);
    rmSync(path.join(root, "rules/a"));
    write("rules/ab", "");
    expect(runnerImageName(root, PLAIN)).not.toBe(before);
  });

  it("depends on the variant and the image below", () => {
    const all = [PLAIN, { ...PLAIN, variant: "slim" as const }, { ...PLAIN, base: "debian" }];
    const names = all.map((recipe) => runnerImageName(root, recipe));
    expect(new Set(names)).toHaveProperty("size", 3);
    expect(names[0]).toMatch(/^localhost\/reveille-runner:default-[0-9a-f]{16}$/);
  });

  it("comes from all that the context has", () => {
    const let_in = readFileSync(path.join(PROJECT, ".dockerignore"), "utf8").match(/(?<=^!).+$/gm);
    expect(let_in).toEqual(["protocol", "rules", "sandbox-runner"]);
  });
});

describe("building", () => {
  /** Stands for docker: notes what it is told, and ends as it is to. */
  function docker(code: number): string {
    const program = path.join(root, "docker");
    writeFileSync(program, `#!/bin/sh\necho "$DOCKER_HOST $*" >>${root}/told\necho no space left >&2\nexit ${code}\n`);
    chmodSync(program, 0o755);
    return program;
  }

  function ensure(code: number, recipe = PLAIN) {
    const engine = `unix://${path.join(root, "engine.sock")}`;
    const environment = { WRANGLER_DOCKER_BIN: docker(code), DOCKER_HOST: "unix:///other" };
    return ensureRunnerImage({ root, engine, recipe, environment, say: (line) => write("said", line) });
  }

  const told = () => readFileSync(path.join(root, "told"), "utf8");

  it("is done where the engine has no such image", async () => {
    status = 404;
    const name = runnerImageName(root, { variant: "slim", base: "debian" });
    expect(await ensure(0, { variant: "slim", base: "debian" })).toEqual({ ok: true, value: name });
    expect(told()).toBe(
      `unix://${root}/engine.sock build --build-arg VARIANT=slim --build-arg BASE=debian --file sandbox-runner/Dockerfile --tag ${name} .\n`,
    );
    expect(readFileSync(path.join(root, "said"), "utf8")).toContain(name);
  });

  it("is left out where it has", async () => {
    status = 200;
    expect(await ensure(1)).toEqual({ ok: true, value: runnerImageName(root, PLAIN) });
    expect(told).toThrow("ENOENT");
  });

  it.each([
    ["the build fails", 404, 1, "no space left"],
    ["the engine is ill", 500, 0, "it answered 500"],
  ])("tells why when %s", async (_what, answered, code, words) => {
    status = answered;
    expect(await ensure(code)).toEqual({ ok: false, message: expect.stringContaining(words) });
  });
});

it.each([
  [{}, { ok: true, value: PLAIN }],
  [
    { REVEILLE_IMAGE_VARIANT: "", REVEILLE_IMAGE_BASE: "" },
    { ok: true, value: PLAIN },
  ],
  [
    { REVEILLE_IMAGE_VARIANT: "slim", REVEILLE_IMAGE_BASE: "x" },
    { ok: true, value: { variant: "slim", base: "x" } },
  ],
  [{ REVEILLE_IMAGE_VARIANT: "fat" }, { ok: false, message: expect.stringContaining("slim, default, browser") }],
])("the variables %o", (environment, expected) => {
  expect(readRecipe(environment)).toEqual(expected);
});
