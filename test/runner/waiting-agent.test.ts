/** An agent that waited for a run and is gone when it is wanted: the run starts its own, which lacks nothing. */
import { expect, it } from "vitest";
import { IdMaker } from "#protocol/ids.ts";
import { runAgent } from "#sandbox-runner/agent/agent.ts";
import { Inbox } from "#sandbox-runner/agent/inbox.ts";
import { openingOf } from "#sandbox-runner/agent/opening.ts";
import { runSettings } from "#sandbox-runner/agent/repository-settings.ts";
import { ToolGate } from "#sandbox-runner/agent/tool-gate.ts";
import { type Command, type Place, startProcess } from "#sandbox-runner/process/spawn.ts";
import { Sandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { runOrder } from "./support/run-order.ts";

/** Starts nothing that is asked of it, and remembers where it was to be. */
class Noted extends Sandbox {
  readonly kind = "none";
  readonly places: Place[] = [];

  start(_command: Command, place: Place) {
    this.places.push(place);
    return startProcess([process.execPath, "-e", ""], { cwd: "/", env: {} });
  }
}

it("is told which run it is", async () => {
  const order = runOrder(new IdMaker("0000000000", (bytes) => crypto.getRandomValues(bytes)), "none", []);
  const { model, tools: policy, asks } = order;
  const env = { PATH: "/usr/bin:/bin" };
  const sandbox = new Noted();
  const never = new AbortController().signal;
  const inbox = new Inbox();
  inbox.close();
  await runAgent({
    order,
    clones: "",
    sandbox,
    waiting: { file: "claude", start: () => null },
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
  expect(sandbox.places).toHaveLength(1);
  expect(sandbox.places[0]?.env).toMatchObject({
    REVEILLE_RUN_ID: order.run_id,
    REVEILLE_SESSION_URL: order.session_url,
  });
});
