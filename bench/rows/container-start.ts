/** From the fire to the agent's first words in a container that is made for the run. */
import path from "node:path";
import { startProgram } from "#scripts/child-process.ts";
import { ensureRunnerImage } from "#scripts/containers/runner-image.ts";
import { createMessagesServer } from "#scripts/demo-model/messages-api.ts";
import { prepareContainers } from "#scripts/instance/prepare-containers.ts";
import { readSettings } from "#scripts/instance/settings.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import type { Outcome } from "#scripts/outcome.ts";
import type { Row } from "../row.ts";
import { nowMs } from "../support/clock.ts";
import { fireToFirstWords } from "../support/first-words.ts";
import { interleave } from "../support/interleave.ts";
import { makeRoutine } from "../support/reveille.ts";
import { ROOT } from "../support/scratch.ts";
import { serveReveille } from "../support/served.ts";
import { median } from "../support/statistics.ts";

const ROUNDS = 7;
const TASK = "Say hello.";
const MODEL = "claude-sonnet-5";
/** Where the image keeps the runner: its packages are found from there. */
const PROGRAM = "/opt/reveille/bare-container-agent.ts";

export const containerStart: Row = {
  id: "container-start",
  title: "from the fire to the agent's first words, in a container that is made for the run",
  baseline: "the same image started by the engine itself, with the bare Agent SDK in it",
  lacks: () => (process.env["DOCKER_HOST"] ? null : "DOCKER_HOST names no container engine"),
  measure: async () => {
    await using stack = new AsyncDisposableStack();
    const given = { ...process.env, REVEILLE_CONTAINERS: "5" };
    const { containers: wanted } = required(readSettings(given, ROOT));
    const containers = required(
      await prepareContainers(wanted, (recipe, engine) =>
        ensureRunnerImage({ root: ROOT, engine, recipe, environment: process.env, say: console.error }),
      ),
    );
    if (containers === null) throw new Error("there are no containers");
    const model = await createMessagesServer({ reply: () => ({ kind: "message", text: "Hello, I am at work." }) });
    stack.defer(() => model.close());
    const served = stack.use(await serveReveille({ DEMO_MODEL_URL: model.url, CONTAINERS: "5" }, containers));
    const routine = await makeRoutine(served, { prompt: TASK, model: MODEL, repositories: [] });
    const times = await interleave(
      ROUNDS,
      () => fireToFirstWords(served, routine),
      () => bareContainer(containers.image, model.url),
    );
    return [
      {
        what: "no repository",
        unit: "ms",
        ours: median(times.ours),
        baseline: median(times.baseline),
        goal: { bound: "at most", value: 1.5 },
      },
    ];
  },
};

/** @returns how long it takes from the engine's order until the bare agent speaks, in milliseconds. */
async function bareContainer(image: string, modelUrl: string): Promise<number> {
  const spoke = Promise.withResolvers<number>();
  const startedAt = nowMs();
  const mount = `${path.join(ROOT, "bench/support/bare-container-agent.ts")}:${PROGRAM}:ro`;
  const run = ["run", "--rm", "--network", "host", "--volume", mount, "--entrypoint", "node"];
  const program = startProgram(
    process.env["WRANGLER_DOCKER_BIN"] ?? "docker",
    [...run, image, PROGRAM, modelUrl, MODEL, TASK],
    {
      cwd: ROOT,
      env: { ...toolEnvironment(), ...engineEnvironment() },
      onLine: (line) => {
        if (line.includes("first words")) spoke.resolve(nowMs() - startedAt);
      },
    },
  );
  const ended = program.ended.then((how) => spoke.reject(new Error(`the bare container ended (${how})`)));
  const took = await spoke.promise;
  await ended;
  return took;
}

/** What the engine's own program takes from the environment. */
function engineEnvironment(): Record<string, string> {
  const given = Object.entries(process.env).filter(([name]) => /^(DOCKER|CONTAINERS?)_/.test(name));
  return Object.fromEntries(given.map(([name, value]) => [name, value ?? ""]));
}

function required<Value>(outcome: Outcome<Value>): Value {
  if (outcome.ok) return outcome.value;
  throw new Error(outcome.message);
}
