/** In which repositories an agent may be started ahead, and by what of them. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isSameToRead, readInstructions } from "#sandbox-runner/prepared/instructions.ts";

const root = mkdtempSync(join(tmpdir(), "reveille-instructions-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Path → content. @returns the folder with these files. */
function tree(files: Record<string, string>): string {
  const folder = mkdtempSync(join(root, "tree-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const PLAIN = { "CLAUDE.md": "Be brief.\n", ".claude/rules/one.md": "Be kind.\n", "src/main.ts": "@Component\n" };

describe("no agent is started ahead in a repository", () => {
  it.each<[string, Record<string, string>]>([
    ["with hooks", { ".claude/settings.json": '{"hooks":{"SessionStart":[]}}' }],
    ["that sets variables", { ".claude/settings.json": '{"env":{"PATH":"./bin"}}' }],
    ["that brings plugins", { ".claude/settings.json": '{"enabledPlugins":{}}' }],
    ["whose settings can't be read", { ".claude/settings.json": "{" }],
    ["that names more folders", { ".claude/settings.json": '{"permissions":{"additionalDirectories":[".."]}}' }],
    ["that decides how permission is asked", { ".claude/settings.json": '{"permissions":{"defaultMode":"plan"}}' }],
    ["with somebody's own settings", { ".claude/settings.local.json": "{}" }],
    ["with tasks that have their times", { ".claude/scheduled_tasks.json": "{}" }],
    ["that is a plugin", { ".claude-plugin/plugin.json": "{}" }],
    ["whose skills have a plugin among them", { ".claude/skills/one/.claude-plugin/plugin.json": "{}" }],
    ["with language servers", { ".lsp.json": "{}" }],
    ["with more than anybody wrote", { "CLAUDE.md": "x".repeat(4_194_305) }],
  ])("%s", async (_which, files) => {
    expect(await readInstructions(tree({ ...PLAIN, ...files }))).toBeNull();
  });

  it.each([".claude/settings.json", ".claude"])("whose hooks are behind a link: %s", async (place) => {
    const folder = tree({ "CLAUDE.md": "Be brief.\n", "tools/settings.json": '{"hooks":{"SessionStart":[]}}' });
    if (place === ".claude") symlinkSync("tools", join(folder, place));
    else {
      mkdirSync(join(folder, ".claude"));
      symlinkSync("../tools/settings.json", join(folder, ".claude/settings.json"));
    }
    expect(await readInstructions(folder)).toBeNull();
  });

  it("that is not there", async () => {
    expect(await readInstructions(join(root, "nothing"))).toBeNull();
  });
});

describe("all that an agent reads at its start", () => {
  it.each<[string, Record<string, string>]>([
    ["is there where there is nothing of the kind", {}],
    ["is its instructions and its settings", PLAIN],
    ["are rules for tools", { ".claude/settings.json": '{"permissions":{"allow":["Read"],"deny":[],"ask":[]}}' }],
  ])("%s", async (_what, files) => {
    expect((await readInstructions(tree(files)))?.isWhole).toBe(true);
  });

  it("is not known where instructions import a file, or are a link", async () => {
    expect((await readInstructions(tree({ "CLAUDE.md": "See @docs/style.md\n" })))?.isWhole).toBe(false);
    const folder = tree({ "docs/style.md": "Be brief.\n" });
    symlinkSync("docs/style.md", join(folder, "CLAUDE.md"));
    expect((await readInstructions(folder))?.isWhole).toBe(false);
  });
});

describe("two trees are the same to an agent that starts", () => {
  it.each<[string, (folder: string) => void, boolean]>([
    ["when nothing else differs but its work", (folder) => writeFileSync(join(folder, "src/main.ts"), ""), true],
    ["not when instructions differ", (folder) => writeFileSync(join(folder, "CLAUDE.md"), "Be long.\n"), false],
    ["not when some are missing", (folder) => rmSync(join(folder, "CLAUDE.md")), false],
    ["not when there are more", (folder) => writeFileSync(join(folder, "AGENTS.md"), ""), false],
    ["not when a folder is there beside them", (folder) => mkdirSync(join(folder, ".claude/skills")), false],
    ["not when one may be run", (folder) => chmodSync(join(folder, ".claude/rules/one.md"), 0o755), false],
  ])("%s", async (_when, change, isSame) => {
    const folder = tree(PLAIN);
    change(folder);
    const [one, other] = await Promise.all([readInstructions(tree(PLAIN)), readInstructions(folder)]);
    if (one === null || other === null) throw new Error("they can't be read");
    expect([isSameToRead(one, other), isSameToRead(other, one)]).toEqual([isSame, isSame]);
  });
});
