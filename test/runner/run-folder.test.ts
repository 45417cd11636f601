/** An attempt's folder: made whole, known to a later runner, and removed whatever was done to it. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRunFolder, readRunRecord, removeRunFolder } from "#sandbox-runner/process/run-folder.ts";

describe("an attempt's folder", () => {
  let state: string;
  beforeAll(() => {
    state = mkdtempSync(join(tmpdir(), "reveille-bed-"));
  });
  afterAll(() => rmSync(state, { recursive: true }));

  it("tells whose it is, and goes with its sockets", async () => {
    const folder = await createRunFolder(state, "run_1.1", { pid: 77, startTime: "boot:9" });
    expect(await readRunRecord(folder.root)).toEqual({ pid: 77, start_time: "boot:9", sockets: folder.sockets });
    expect(
      [folder.workspace, folder.home, folder.temporary, folder.hooks, folder.sockets].filter(existsSync).length,
    ).toBe(5);
    await removeRunFolder(folder.root);
    await removeRunFolder(folder.root);
    expect([folder.root, folder.sockets].filter(existsSync)).toEqual([]);
  });

  it("goes although its own folders may not be written", async () => {
    const folder = await createRunFolder(state, "run_2.1", { pid: 77, startTime: null });
    for (let n = 0; n < 20; n += 1) {
      const locked = join(folder.home, `cache-${n}`, "module");
      mkdirSync(locked, { recursive: true });
      writeFileSync(join(locked, "file"), "x");
      chmodSync(locked, 0o500);
      chmodSync(join(folder.home, `cache-${n}`), 0o500);
    }
    await removeRunFolder(folder.root);
    expect(readdirSync(join(state, "runs"))).toEqual([]);
  });

  it("of which nothing is known is removed all the same", async () => {
    const root = join(state, "runs", "run_3.1");
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, "record.json"), '{"sockets":"/etc"}');
    expect(await readRunRecord(root)).toBeNull();
    await removeRunFolder(root);
    expect(existsSync(root)).toBe(false);
  });
});
