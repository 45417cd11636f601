/** The runner's state folder as it is made: others may go on to it, and see nothing in it. */
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { takeStateFolder } from "#sandbox-runner/runner/state-folder.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "reveille-state-"));
});
afterEach(() => rmSync(base, { recursive: true }));

const mode = (...path: string[]) => statSync(join(base, ...path)).mode & 0o777;
/** Root's runs enter as another user, who goes through; everybody else's enter as themselves. */
const own = process.geteuid?.() === 0 ? 0o710 : 0o700;

it.each([[["state"]], [["a", "state"]], [["a", "b", "c", "state"]]])(
  "%j is shut, and what leads to it is not",
  async (path) => {
    expect(await takeStateFolder(join(base, ...path))).toBeNull();
    expect([mode(...path), mode(...path, "runs"), mode(...path, "runner.json")]).toEqual([own, own, 0o600]);
    for (const [index] of path.slice(1).entries()) expect(mode(...path.slice(0, index + 1)) & 0o011).toBe(0o011);
  },
);

it("leaves a folder that is there as open as it is above it", async () => {
  mkdirSync(join(base, "a"), { mode: 0o750 });
  expect(await takeStateFolder(join(base, "a", "state"))).toBeNull();
  expect(mode("a")).toBe(0o750);
});

it("can be taken again by the same process, and not where a file is", async () => {
  expect(await takeStateFolder(join(base, "state"))).toBeNull();
  expect(await takeStateFolder(join(base, "state"))).toBeNull();
  expect(await takeStateFolder(join(base, "state", "runner.json"))).toMatch(/^REVEILLE_STATE: .* can't be used: /);
});
