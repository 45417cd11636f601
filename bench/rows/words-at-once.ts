/** First words when several runs start at one moment. */
import { createMessagesServer } from "#scripts/demo-model/messages-api.ts";
import type { Row } from "../row.ts";
import type { BareAgent } from "../support/bare-agent.ts";
import { fireToFirstWords } from "../support/first-words.ts";
import { Helper } from "../support/helper.ts";
import { compared, interleave } from "../support/interleave.ts";
import { makeRoutine } from "../support/reveille.ts";
import { scratchPath } from "../support/scratch.ts";
import { serveReveille } from "../support/served.ts";
import { median } from "../support/statistics.ts";
import { startRunner } from "../support/warm-runner.ts";

const AT_ONCE = 4;
const TASK = "Say hello.";
const MODEL = "claude-sonnet-5";

export const wordsAtOnce: Row = {
  id: "words-at-once",
  title: "from the fire to the agent's first words, four fires at once, each with a prepared agent; median of the four",
  baseline: "one fire, of the same kind",
  // Each takes as long as it takes to prepare four executors with their agents, one after the other.
  rounds: 5,
  measure: async (rounds) => {
    await using stack = new AsyncDisposableStack();
    const model = await createMessagesServer({ reply: () => ({ kind: "message", text: "Hello, I am at work." }) });
    stack.defer(() => model.close());
    const served = stack.use(await serveReveille({ DEMO_MODEL_URL: model.url }));
    const runner = stack.use(await startRunner(served, AT_ONCE));
    const bare = stack.use(new Helper<BareAgent>("bare-agent.ts"));
    await bare.ask("prepare", { stateFolder: scratchPath("bare"), model: model.url, git: model.url });
    const routine = await makeRoutine(served, { prompt: TASK, model: MODEL });
    // The runner learns which runs to expect.
    await runner.warm();
    await fireToFirstWords(served, routine);
    const fires = async (count: number) => {
      await runner.warmAgents(AT_ONCE);
      return median(await Promise.all(Array.from({ length: count }, () => fireToFirstWords(served, routine))));
    };
    const bares = async (count: number) => {
      await bare.ask("warm", { model: MODEL, count });
      return median(await bare.ask("giveAll", { task: TASK }));
    };
    const times = await interleave(
      rounds,
      () => fires(AT_ONCE),
      () => fires(1),
    );
    const bareTimes = await interleave(
      rounds,
      () => bares(AT_ONCE),
      () => bares(1),
    );
    return [
      {
        what: "four beside one",
        unit: "ms",
        ...compared(times, (ms) => ms),
        goal: { bound: "at most", value: 1.5 },
      },
      {
        what: "the same of warm bare agents",
        unit: "ms",
        ...compared(bareTimes, (ms) => ms),
        goal: null,
      },
    ];
  },
};
