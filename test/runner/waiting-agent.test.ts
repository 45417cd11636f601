/** An agent that waited for a run and is gone when it is wanted: the run starts its own, which lacks nothing. */
import { expect, it, vi } from "vitest";
import { IdMaker } from "#protocol/ids.ts";
import { runAgent, type WaitingProgram } from "#sandbox-runner/agent/agent.ts";
import { Inbox } from "#sandbox-runner/agent/inbox.ts";
import { openingOf, userMessage } from "#sandbox-runner/agent/opening.ts";
import { runSettings } from "#sandbox-runner/agent/repository-settings.ts";
import { ToolGate } from "#sandbox-runner/agent/tool-gate.ts";
import { PreparedProgram } from "#sandbox-runner/prepared/prepared-program.ts";
import { type Command, type Place, startProcess } from "#sandbox-runner/process/spawn.ts";
import { Sandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { practised } from "./support/practised.ts";
import { runOrder } from "./support/run-order.ts";

/** Starts another program than is asked of it, and remembers where it was to be. */
class Noted extends Sandbox {
  readonly kind = "none";
  readonly places: Place[] = [];
  readonly #source: string;

  constructor(source: string) {
    super();
    this.#source = source;
  }

  start(_command: Command, place: Place) {
    this.places.push(place);
    return startProcess([process.execPath, "-e", this.#source, "anew"], { cwd: "/", env: {} });
  }
}

async function runWith(sandbox: Sandbox, waiting: WaitingProgram) {
  const order = runOrder(new IdMaker("0000000000", (bytes) => crypto.getRandomValues(bytes)), "none", []);
  const { model, tools: policy, asks } = order;
  const env = { PATH: "/usr/bin:/bin" };
  const never = new AbortController().signal;
  const inbox = new Inbox();
  inbox.close();
  const end = await runAgent({
    order,
    clones: "",
    sandbox,
    waiting,
    cwd: "/",
    env,
    settings: runSettings({ text: null, env, model, hookSeconds: 1, tools: policy }),
    tools: [],
    servers: {},
    gate: new ToolGate({ policy, asks, given: null, isLost: false, earlier: [], onAsked: () => {} }),
    inbox,
    conversation: null,
    opening: openingOf(order, ""),
    parking: never,
    signal: never,
    bounds: { backgroundWaitMs: 1_000, lastWaitMs: Number.POSITIVE_INFINITY },
    room: async () => {},
    send: () => {},
    onMessage: () => {},
    onTasksLeft: () => {},
  });
  return { order, end };
}

it("is told which run it is", async () => {
  const sandbox = new Noted("");
  const { order } = await runWith(sandbox, { file: "claude", start: () => null });
  expect(sandbox.places).toHaveLength(1);
  expect(sandbox.places[0]?.env).toMatchObject({
    REVEILLE_RUN_ID: order.run_id,
    REVEILLE_SESSION_URL: order.session_url,
  });
});

/** Answers what it is asked, and does its task in a word. */
const PROGRAM = `require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  const say = (said) => console.log(JSON.stringify(said));
  ${practised()}
  if (message.type !== "user") return say({ type: "control_response", response: { subtype: "success", request_id: message.request_id, response: { hook_on_failure_supported: true } } });
  say({ type: "system", subtype: "init", session_id: "one" });
  say({ type: "result", subtype: "success", is_error: false, result: process.argv[1], session_id: "one" });
  process.stdin.destroy();
});`;

it("does the task where what has waited was told another", async () => {
  const start = (name: string) => startProcess([process.execPath, "-e", PROGRAM, name], { cwd: "/", env: {} });
  const sandbox = new Noted(PROGRAM);
  const program = new PreparedProgram(start("ahead"), { subtype: "initialize" }, {});
  await program.ready;
  program.tellTask(userMessage("Look elsewhere."));
  const onRight = vi.fn();
  const { order, end } = await runWith(sandbox, {
    file: "claude",
    start: (_command, _place, another) =>
      program.handOver({
        onRight,
        onAskedOther: () => {},
        another: async () => {
          await program.end();
          return another();
        },
      }),
  });
  expect(end.result).toMatchObject({ result: "anew" });
  expect(onRight).not.toHaveBeenCalled();
  expect(sandbox.places).toMatchObject([{ env: { REVEILLE_RUN_ID: order.run_id } }]);
});
