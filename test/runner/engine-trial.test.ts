/** What a runner tries of an engine before it serves: whether a container's runner finds its way out. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type ContainerBrief, containerBriefSchema } from "#protocol/container-brief.ts";
import { tryContainer } from "#sandbox-runner/engine/trial.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "reveille-trial-"));
});
afterEach(() => rmSync(base, { recursive: true }));

const bounds = { processes: 100, memory_mib: 1_000, disk_mib: 1 };
const ended = { how: "exited" as const, code: 0, stdout: "", stderr: "" };

/** A container whose runner asks for what the brief leads to. @returns what it is told. */
async function trial(pathOf: (brief: ContainerBrief) => string | null) {
  const folder = join(base, "sockets", "one");
  let told: string | null = null;
  const { hasAsked } = await tryContainer(folder, bounds, async (brief) => {
    const path = pathOf(containerBriefSchema.parse(brief));
    if (path === null) return ended;
    const socket = new WebSocket(`ws+unix://${join(folder, "instance.sock")}:${path}`);
    told = await new Promise((heard) => socket.once("error", ({ message }) => heard(message)));
    return ended;
  });
  expect(existsSync(folder)).toBe(false);
  return { hasAsked, told };
}

it("is passed by a runner that asks for its link, and is told that there is none", async () => {
  const asked = await trial(({ lease }) => `/runner/runs/${lease.run_id}/link`);
  expect(asked).toEqual({ hasAsked: true, told: expect.stringContaining("401") });
});

it.each<[string, (brief: ContainerBrief) => string | null, string | null]>([
  ["ends without a word", () => null, null],
  ["asks for something else", () => "/runner/pool", expect.stringContaining("401")],
])("is not passed by a program that %s", async (_what, pathOf, told) => {
  expect(await trial(pathOf)).toEqual({ hasAsked: false, told });
});

it("leaves nothing when the container can't be started", async () => {
  const folder = join(base, "one");
  await expect(tryContainer(folder, bounds, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(existsSync(folder)).toBe(false);
});
