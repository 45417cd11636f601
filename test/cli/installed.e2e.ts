/** The package: what is in it works elsewhere, without the project, on the Node that it finds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { spawnProgram } from "../runner/support/runner-process.ts";
import { type Installed, installReveille, olderNode } from "./support/installed.ts";

let installed: Installed;
let elsewhere: string;
beforeAll(async () => {
  installed = await installReveille();
  elsewhere = mkdtempSync(join(tmpdir(), "reveille-elsewhere-"));
});
afterAll(() => {
  installed.remove();
  rmSync(elsewhere, { recursive: true });
});

async function say(node: string, program: string, ...words: string[]) {
  const child = spawnProgram([node, program, ...words], {}, { cwd: elsewhere });
  return { code: await child.closed, output: child.output().trim() };
}

it("tells its version, and what its runner takes", async () => {
  expect(await say(process.execPath, installed.program, "--version")).toEqual({ code: 0, output: packageJson.version });
  const help = await say(process.execPath, installed.program, "runner", "--help");
  expect(help).toMatchObject({ code: 0, output: expect.stringContaining("--token-file <file>") });
  expect((await say(process.execPath, installed.program, "runner", "--capacity", "0")).code).toBe(2);
});

const older = olderNode();
it.skipIf(older === null)("goes on with the Node that is installed beside it, or says which one it needs", async () => {
  const node = older ?? "";
  expect(await say(node, installed.program, "--version")).toEqual({ code: 0, output: packageJson.version });
  expect((await say(node, installed.program, "no-such-command")).code).toBe(2);
  rmSync(join(installed.folder, "node_modules", "node"));
  const alone = await say(node, installed.program, "--version");
  expect(alone).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^reveille needs Node 24 or newer, and this is v/),
  });
});
