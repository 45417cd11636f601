/** The runner's state folder as it is made: others may go on to it, and see nothing in it. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { takeStateFolder } from "#sandbox-runner/runner/state-folder.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "reveille-state-"));
});
afterEach(() => rmSync(base, { recursive: true }));

/** @returns the fault, or `taken`: it is released again. */
async function take(...path: string[]): Promise<string> {
  const taken = await takeStateFolder(join(base, ...path));
  if (!taken.ok) return taken.fault;
  taken.release();
  return "taken";
}

const mode = (...path: string[]) => statSync(join(base, ...path)).mode & 0o777;
/** Root's runs enter as another user, who goes through; everybody else's enter as themselves. */
const own = process.geteuid?.() === 0 ? 0o710 : 0o700;

it.each([[["state"]], [["a", "state"]], [["a", "b", "c", "state"]]])(
  "%j is shut, and what leads to it is not",
  async (path) => {
    expect(await take(...path)).toBe("taken");
    expect([mode(...path), mode(...path, "runs"), mode(...path, "runner.json")]).toEqual([own, own, 0o600]);
    for (const [index] of path.slice(1).entries()) expect(mode(...path.slice(0, index + 1)) & 0o011).toBe(0o011);
  },
);

it("leaves a folder that is there as open as it is above it", async () => {
  mkdirSync(join(base, "a"), { mode: 0o750 });
  expect(await take("a", "state")).toBe("taken");
  expect(mode("a")).toBe(0o750);
});

it("is somebody else's until it is released, whatever the holder's number says, and is taken one time when many try", async () => {
  const state = join(base, "state");
  const tries = await Promise.all([1, 2, 3, 4, 5].map(() => takeStateFolder(state)));
  const winners = tries.filter(({ ok }) => ok);
  expect(winners.length).toBe(1);
  // A runner in a container beside, with the same volume, may well have this process's number.
  expect(await take("state")).toMatch(/^REVEILLE_STATE: .* is in use by another runner \(process \d+\); /);
  for (const one of winners) if (one.ok) one.release();
  expect(await take("state")).toBe("taken");
});

it("can't be where a file is", async () => {
  writeFileSync(join(base, "file"), "");
  expect(await take("file")).toMatch(/^REVEILLE_STATE: .* can't be used: /);
});
