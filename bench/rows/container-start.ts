/** From the fire to the agent's first words in a container that is made for the run. */
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { poolSchema } from "#protocol/pool.ts";
import { startProgram } from "#scripts/child-process.ts";
import { ensureRunnerImage } from "#scripts/containers/runner-image.ts";
import { createMessagesServer } from "#scripts/demo-model/messages-api.ts";
import { prepareContainers } from "#scripts/instance/prepare-containers.ts";
import { readSettings } from "#scripts/instance/settings.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import type { Outcome } from "#scripts/outcome.ts";
import type { Figure, Row } from "../row.ts";
import { nowMs } from "../support/clock.ts";
import { fireToFirstWords } from "../support/first-words.ts";
import { compared, interleave, type Sides } from "../support/interleave.ts";
import { ask, makeRoutine } from "../support/reveille.ts";
import { ROOT } from "../support/scratch.ts";
import { type Served, serveBare, serveReveille } from "../support/served.ts";
import { startRunner } from "../support/warm-runner.ts";

const LOOK_MS = 50;
const TASK = "Say hello.";
const MODEL = "claude-sonnet-5";
/** Where the image keeps the runner: its packages are found from there. */
const PROGRAM = "/opt/reveille/bare-container-agent.ts";
const SDK = "file:///opt/reveille/node_modules/@anthropic-ai/claude-agent-sdk/sdk.mjs";

export const containerStart: Row = {
  id: "container-start",
  title: "from the fire to the agent's first words, in a container of the run's own",
  baseline:
    "a bare worker's container of the same image, with the bare Agent SDK in it; or the engine's; or the local runner",
  lacks: () => (process.env["DOCKER_HOST"] ? null : "DOCKER_HOST names no container engine"),
  rounds: 7,
  measure: async (rounds) => {
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
    const routineIn = (served: Served) => makeRoutine(served, { prompt: TASK, model: MODEL, repositories: [] });
    const served = stack.use(await serveReveille({ DEMO_MODEL_URL: model.url, CONTAINERS: "5" }, containers));
    const routine = await routineIn(served);
    const ours = () => fireToFirstWords(served, routine);
    const bare = stack.use(await serveBare("container", containers));
    const same = await interleave(rounds, ours, () => bareWorker(bare, model.url));
    const engine = await interleave(rounds, ours, () => bareContainer(containers.image, model.url));

    const local = stack.use(await serveReveille({ DEMO_MODEL_URL: model.url }));
    const localRoutine = await routineIn(local);
    const runner = stack.use(await startRunner(local));
    let spare = runner.warm();
    // What either side starts for its next run is no part of the other's.
    const atRest = () => Promise.all([untilWarm(served), spare]);
    const warm = await interleave(
      rounds,
      async () => {
        await atRest();
        return await ours();
      },
      async () => {
        await atRest();
        const took = await fireToFirstWords(local, localRoutine);
        spare = runner.warm();
        return took;
      },
    );
    return [
      figure("started for the run, beside a bare worker's", same, { bound: "at most", value: 1.5 }),
      figure("the same, beside the engine's own without a side-car", engine, null),
      figure("kept warm, beside the local runner's", warm, { bound: "at most", value: 1.3 }),
    ];
  },
};

function figure(what: string, times: Sides<number>, goal: Figure["goal"]): Figure {
  return { what, unit: "ms", ...compared(times, (ms) => ms), goal };
}

/** Keeps one container warm, and waits until it is. */
async function untilWarm(served: Served): Promise<void> {
  const warm = { containers: 1, hours_per_month: 10 };
  await ask(served, "PATCH", "/api/v1/pools/default", poolSchema, { warm });
  while ((await ask(served, "GET", "/api/v1/pools/default", poolSchema)).warm?.ready !== 1) await delay(LOOK_MS);
}

/** @returns how long it takes from the worker's order until the bare agent speaks, in milliseconds. */
async function bareWorker(bare: Served, modelUrl: string): Promise<number> {
  const source = stripTypeScriptTypes(await readFile(path.join(ROOT, "bench/support/bare-container-agent.ts"), "utf8"));
  // The image's own program is started whatever is asked for: this is loaded before it, and ends the process.
  const program = Buffer.from(source.replace('"@anthropic-ai/claude-agent-sdk"', `"${SDK}"`)).toString("base64");
  const startedAt = nowMs();
  const answer = await fetch(bare.url, {
    method: "POST",
    body: JSON.stringify({
      env: {
        NODE_OPTIONS: `--import=data:text/javascript;base64,${program}`,
        MODEL_URL: "http://model.bench",
        MODEL,
        TASK,
        TELL_URL: "http://model.bench/told",
      },
      modelUrl,
    }),
  });
  if (!answer.ok) throw new Error(`the bare worker answered ${answer.status}`);
  await answer.text();
  return nowMs() - startedAt;
}

/** @returns how long it takes from the engine's order until the bare agent speaks, in milliseconds. */
async function bareContainer(image: string, modelUrl: string): Promise<number> {
  const spoke = Promise.withResolvers<number>();
  const startedAt = nowMs();
  const mount = `${path.join(ROOT, "bench/support/bare-container-agent.ts")}:${PROGRAM}:ro`;
  const run = ["run", "--rm", "--network", "host", "--volume", mount, "--entrypoint", "node"];
  const given = ["--env", `MODEL_URL=${modelUrl}`, "--env", `MODEL=${MODEL}`, "--env", `TASK=${TASK}`];
  const program = startProgram(process.env["WRANGLER_DOCKER_BIN"] ?? "docker", [...run, ...given, image, PROGRAM], {
    cwd: ROOT,
    env: { ...toolEnvironment(), ...engineEnvironment() },
    onLine: (line) => {
      if (line.includes("first words")) spoke.resolve(nowMs() - startedAt);
    },
  });
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
