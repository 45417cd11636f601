/** How long a run waits for its environment: the first, which runs the setup script, and the second, which has what is kept. */
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import path from "node:path";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";
import { startProgram } from "#scripts/child-process.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import type { Row } from "../row.ts";
import { nowMs } from "../support/clock.ts";
import { Helper } from "../support/helper.ts";
import { scratchPath } from "../support/scratch.ts";
import type { SetupPlaceFace } from "../support/setup-place.ts";
import { median } from "../support/statistics.ts";

/** As a package manager does: 4,000 files, 36 MB in all, and some work on each. */
const SCRIPT = `#!/usr/bin/env node
const { mkdirSync, writeFileSync } = require("node:fs");
const { brotliCompressSync } = require("node:zlib");
for (let number = 0; number < 4000; number += 1) {
  const folder = "tree/package-" + (number >> 5);
  mkdirSync(folder, { recursive: true });
  const text = Array.from({ length: 300 }, (_, line) => "const value" + number * line + " = " + line + ";").join("\\n");
  writeFileSync(folder + "/" + number + ".js", text + brotliCompressSync(text, { params: { 1: 5 } }).toString("hex"));
}
`;

export const setupCache: Row = {
  id: "setup-cache",
  title: "until an environment's setup script has done its work, and until what it has made is there again",
  baseline: "the bare script; for the second run a plain copy of what it has made",
  lacks: () => (SandboxManager.checkDependencies().errors.length === 0 ? null : "the sandbox does not work here"),
  rounds: 3,
  measure: async (rounds) => {
    const stateFolder = scratchPath("setups");
    mkdirSync(stateFolder);
    // A runner that is root enters the sandbox as another user.
    for (const folder of [path.dirname(stateFolder), stateFolder]) chmodSync(folder, 0o711);
    const times = { first: [], second: [], script: [], copy: [] } as Record<
      "first" | "second" | "script" | "copy",
      number[]
    >;
    for (let round = 0; round < rounds; round += 1) {
      const order = { stateFolder, script: SCRIPT, cacheKey: randomUUID() };
      times.first.push(await prepared(order, "miss"));
      const home = scratchPath("home");
      times.script.push(await bareScript(home));
      times.second.push(await prepared(order, "hit"));
      const startedAt = nowMs();
      await cp(home, scratchPath("copy"), { recursive: true, preserveTimestamps: true });
      times.copy.push(nowMs() - startedAt);
    }
    const [first, second] = [median(times.first), median(times.second)];
    return [
      { what: "the first run", unit: "ms", ours: first, baseline: median(times.script), goal: null },
      { what: "the second run", unit: "ms", ours: second, baseline: median(times.copy), goal: null },
      {
        what: "the second against the first",
        unit: "ms",
        ours: second,
        baseline: first,
        goal: { bound: "at most", value: 0.5 },
      },
    ];
  },
};

/** Each in a process of its own, as executors are. */
async function prepared(order: Parameters<SetupPlaceFace["prepare"]>[0], cache: "hit" | "miss"): Promise<number> {
  await using helper = new Helper<SetupPlaceFace>("setup-place.ts");
  const done = await helper.ask("prepare", order);
  if (done.cache !== cache) throw new Error(`the run had a ${done.cache}, not a ${cache}`);
  return done.ms;
}

async function bareScript(home: string): Promise<number> {
  mkdirSync(home);
  const file = scratchPath("script.js");
  writeFileSync(file, SCRIPT);
  const startedAt = nowMs();
  const program = startProgram(process.execPath, [file], { cwd: home, env: toolEnvironment(), onLine: () => {} });
  const how = await program.ended;
  if (how !== "exit code 0") throw new Error(`the script ended (${how})`);
  return nowMs() - startedAt;
}
