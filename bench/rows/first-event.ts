/** From the fire to the agent's first words, with a warm runner, beside the bare Agent SDK in the same sandbox. */
import { randomBytes } from "node:crypto";
import { createMessagesServer } from "#scripts/demo-model/messages-api.ts";
import { DEMO_REPOSITORY } from "#scripts/demo-upstream/demo-history.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { seedDemoRepository } from "#scripts/demo-upstream/seed-repository.ts";
import type { Figure, Row } from "../row.ts";
import type { BareAgent, BareRun } from "../support/bare-agent.ts";
import { fireToFirstWords } from "../support/first-words.ts";
import { Helper } from "../support/helper.ts";
import { compared, interleave } from "../support/interleave.ts";
import { makeRoutine } from "../support/reveille.ts";
import { scratchPath } from "../support/scratch.ts";
import { type Served, serveReveille } from "../support/served.ts";
import { median } from "../support/statistics.ts";
import { startRunner, type WarmRunner } from "../support/warm-runner.ts";

const TASK = "Say hello.";
const MODEL = "claude-sonnet-5";
const GOAL = { bound: "at most", value: 1.25 } as const;

export const firstEvent: Row = {
  id: "first-event",
  title: "from the fire to the agent's first words, local runner with a prepared executor",
  baseline:
    "the bare Agent SDK in the same sandbox, to its first words: from its task, its program started before; from query(); from git clone",
  measure: async (rounds) => {
    await using stack = new AsyncDisposableStack();
    const model = await createMessagesServer({ reply: () => ({ kind: "message", text: "Hello, I am at work." }) });
    stack.defer(() => model.close());
    const credential = `bench:${randomBytes(20).toString("hex")}`;
    const root = scratchPath("upstream");
    const seeded = await seedDemoRepository(root, new AbortController().signal);
    if (!seeded.ok) throw new Error(seeded.message);
    const upstream = await startGitServer({ root, credential, port: 0 });
    stack.defer(() => upstream.close());
    const url = `${upstream.url}/${DEMO_REPOSITORY}.git`;

    const served = stack.use(
      await serveReveille({
        DEMO_MODEL_URL: model.url,
        GIT_CREDENTIALS: JSON.stringify({ [upstream.url]: credential }),
      }),
    );
    const runner = stack.use(await startRunner(served, 1, 1));
    const bare = stack.use(new Helper<BareAgent>("bare-agent.ts"));
    await bare.ask("prepare", { stateFolder: scratchPath("bare"), model: model.url, git: upstream.url });

    const authorization = `Basic ${Buffer.from(credential).toString("base64")}`;
    return [
      await preparedFigure(rounds, served, runner, bare),
      await figure("no repository, beside query()", rounds, served, runner, bare, []),
      await figure("a small repository", rounds, served, runner, bare, [{ url, authorization }]),
      // The last: once a routine fires often, one more executor is prepared beside those that the others count.
      await copyFigure(rounds, served, runner, bare, { url, authorization }),
    ];
  },
};

/** Both sides have their program started before there is a task. */
async function preparedFigure(
  rounds: number,
  served: Served,
  runner: WarmRunner,
  bare: Helper<BareAgent>,
): Promise<Figure> {
  const routine = await makeRoutine(served, { prompt: TASK, model: MODEL });
  // The runner learns which runs to expect.
  await runner.warm();
  await fireToFirstWords(served, routine);
  const times = await interleave(
    rounds,
    async () => {
      await runner.warmAgents(1);
      return await fireToFirstWords(served, routine);
    },
    async () => {
      await bare.ask("warm", { model: MODEL, count: 1 });
      return median(await bare.ask("giveAll", { task: TASK }));
    },
  );
  return { what: "no repository", unit: "ms", ...compared(times, (ms) => ms), goal: GOAL };
}

async function figure(
  what: string,
  rounds: number,
  served: Served,
  runner: WarmRunner,
  bare: Helper<BareAgent>,
  repositories: NonNullable<BareRun["repository"]>[],
): Promise<Figure> {
  const times = await interleave(
    rounds,
    async () => {
      // One that has not fired before: nothing is prepared for it.
      const routine = await routineWith(served, repositories);
      await runner.warm();
      return await fireToFirstWords(served, routine);
    },
    () => bare.ask("run", { task: TASK, model: MODEL, repository: repositories[0] ?? null }),
  );
  return { what, unit: "ms", ...compared(times, (ms) => ms), goal: GOAL };
}

/** Ours has fired before, so its agent waits in a copy of the repository; the baseline clones, and then starts its program. */
async function copyFigure(
  rounds: number,
  served: Served,
  runner: WarmRunner,
  bare: Helper<BareAgent>,
  repository: NonNullable<BareRun["repository"]>,
): Promise<Figure> {
  const routine = await routineWith(served, [repository]);
  for (const _ of [1, 2]) await fireToFirstWords(served, routine);
  const times = await interleave(
    rounds,
    async () => {
      await runner.warmCopy();
      return await fireToFirstWords(served, routine);
    },
    () => bare.ask("run", { task: TASK, model: MODEL, repository }),
  );
  return {
    what: "a small repository, of a routine that fires often",
    unit: "ms",
    ...compared(times, (ms) => ms),
    goal: GOAL,
  };
}

function routineWith(served: Served, repositories: NonNullable<BareRun["repository"]>[]) {
  return makeRoutine(served, { prompt: TASK, model: MODEL, repositories: repositories.map(({ url }) => ({ url })) });
}
