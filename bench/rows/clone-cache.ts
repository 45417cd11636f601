/** How long a run waits for a large repository: the first, which receives it, and the second, which has what the runner has kept. */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import path from "node:path";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";
import { createMessagesServer } from "#scripts/demo-model/messages-api.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import type { Row } from "../row.ts";
import { nowMs } from "../support/clock.ts";
import { fireToFirstWords } from "../support/first-words.ts";
import { git } from "../support/git.ts";
import { makeRoutine } from "../support/reveille.ts";
import { scratchPath } from "../support/scratch.ts";
import { serveReveille } from "../support/served.ts";
import { median } from "../support/statistics.ts";
import { startRunner } from "../support/warm-runner.ts";

const FILES = 400;
const FILE_BYTES = 262_144;

export const cloneCache: Row = {
  id: "clone-cache",
  title: "from the fire to the agent's first words, with a repository of 100 MiB: the first run, and the second",
  baseline: "git clone of the same repository, as deep, without a run",
  lacks: () => (SandboxManager.checkDependencies().errors.length === 0 ? null : "the sandbox does not work here"),
  rounds: 3,
  measure: async (rounds) => {
    await using stack = new AsyncDisposableStack();
    const model = await createMessagesServer({ reply: () => ({ kind: "message", text: "Hello, I am at work." }) });
    stack.defer(() => model.close());
    const credential = `bench:${randomBytes(20).toString("hex")}`;
    const root = scratchPath("upstream");
    const seeded = await seedLarge(root);
    const upstream = await startGitServer({ root, credential, port: 0 });
    stack.defer(() => upstream.close());
    const served = stack.use(
      await serveReveille({
        DEMO_MODEL_URL: model.url,
        GIT_CREDENTIALS: JSON.stringify({ [upstream.url]: credential }),
      }),
    );
    const runner = stack.use(await startRunner(served));
    const times = { first: [] as number[], second: [] as number[], plain: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      // Another repository each time: the runner has kept nothing of it.
      const name = `large-${round}.git`;
      await cp(seeded, path.join(root, name), { recursive: true });
      const url = `${upstream.url}/${name}`;
      const repositories = [{ url }];
      const routine = await makeRoutine(served, { prompt: "Say hello.", model: "claude-sonnet-5", repositories });
      for (const which of ["first", "second"] as const) {
        await runner.warm();
        times[which].push(await fireToFirstWords(served, routine));
      }
      times.plain.push(await clonePlainly(url.replace("//", `//${credential}@`)));
    }
    const [first, second, plain] = [median(times.first), median(times.second), median(times.plain)];
    return [
      { what: "the first run", unit: "ms", ours: first, baseline: plain, goal: null },
      { what: "the second run", unit: "ms", ours: second, baseline: plain, goal: null },
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

/** @returns a bare repository whose one commit has files that nothing compresses. */
async function seedLarge(root: string): Promise<string> {
  const tree = path.join(root, "tree");
  mkdirSync(tree, { recursive: true });
  await git("init", "--quiet", "--initial-branch=main", tree);
  for (let number = 0; number < FILES; number += 1) {
    writeFileSync(path.join(tree, `${number}.bin`), randomBytes(FILE_BYTES));
  }
  await git("-C", tree, "add", "--all");
  await git("-C", tree, "commit", "--quiet", "--message", "Begin");
  const bare = path.join(root, "large.git");
  await git("clone", "--quiet", "--bare", tree, bare);
  rmSync(tree, { recursive: true });
  return bare;
}

/** @returns how long it took, in milliseconds. */
async function clonePlainly(url: string): Promise<number> {
  const place = scratchPath("plain");
  const startedAt = nowMs();
  await git("clone", "--quiet", "--depth=50", url, place);
  const took = nowMs() - startedAt;
  rmSync(place, { recursive: true });
  return took;
}
