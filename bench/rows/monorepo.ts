/** What `paths` and `depth` save of a large repository: a run with one of its folders and one commit, beside one with all of it. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import path from "node:path";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";
import { createMessagesServer } from "#scripts/demo-model/messages-api.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import type { Row } from "../row.ts";
import { nowMs } from "../support/clock.ts";
import { startCounted } from "../support/counted.ts";
import { fireToFirstWords } from "../support/first-words.ts";
import { chosenMiB, git, makeLargeRepository } from "../support/git.ts";
import { makeRoutine } from "../support/reveille.ts";
import { scratchPath } from "../support/scratch.ts";
import { serveReveille } from "../support/served.ts";
import { startRunner } from "../support/warm-runner.ts";

export const monorepo: Row = {
  id: "monorepo",
  title: "from the fire to the agent's first words, with one folder and one commit of a large repository, and with all",
  baseline: "for the whole: git clone, as deep, without a run; for the folder: the run with the whole",
  lacks: () => (SandboxManager.checkDependencies().errors.length === 0 ? null : "the sandbox does not work here"),
  measure: async () => {
    await using stack = new AsyncDisposableStack();
    const mib = chosenMiB();
    const model = await createMessagesServer({ reply: () => ({ kind: "message", text: "Hello, I am at work." }) });
    stack.defer(() => model.close());
    const credential = `bench:${randomBytes(20).toString("hex")}`;
    const root = scratchPath("upstream");
    await makeLargeRepository(path.join(root, "mono.git"), mib);
    const upstream = await startGitServer({ root, credential, port: 0 });
    stack.defer(() => upstream.close());
    const counted = stack.use(await startCounted(upstream.url));
    const served = stack.use(
      await serveReveille({
        DEMO_MODEL_URL: model.url,
        GIT_CREDENTIALS: JSON.stringify({ [counted.url]: credential }),
      }),
    );
    const runner = stack.use(await startRunner(served));
    const url = `${counted.url}/mono.git`;
    const run = async (repository: object) => {
      const repositories = [{ url, ...repository }];
      const routine = await makeRoutine(served, { prompt: "Say hello.", model: "claude-sonnet-5", repositories });
      await runner.warm();
      counted.takeMiB();
      return { ms: await fireToFirstWords(served, routine), received: counted.takeMiB() };
    };
    const folder = await run({ paths: ["packages/7"], depth: 1 });
    const whole = await run({});
    const place = scratchPath("plain");
    const startedAt = nowMs();
    await git("clone", "--quiet", "--depth=50", url.replace("//", `//${credential}@`), place);
    const plain = { ms: nowMs() - startedAt, received: counted.takeMiB() };
    rmSync(place, { recursive: true });
    const sized = (what: string) => `${what}, ${mib} MiB`;
    return [
      { what: sized("all of it"), unit: "ms", ours: whole.ms, baseline: plain.ms, goal: null },
      { what: sized("one folder of 64"), unit: "ms", ours: folder.ms, baseline: whole.ms, goal: null },
      {
        what: sized("received for one folder of 64"),
        unit: "MiB",
        ours: folder.received,
        baseline: whole.received,
        goal: { bound: "at most", value: 0.05 },
      },
    ];
  },
};
