/** An agent that has waited is spoken to by its run as one that was started for it: nothing is seen of what it was told before. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { expect, it, onTestFinished, vi } from "vitest";
import { IdMaker } from "#protocol/ids.ts";
import type { Program } from "#sandbox-runner/agent/gated-process.ts";
import { userMessage } from "#sandbox-runner/agent/opening.ts";
import { CloneCache } from "#sandbox-runner/git/clone-cache.ts";
import { PreparedAgent } from "#sandbox-runner/prepared/prepared-agent.ts";
import { wantedOf } from "#sandbox-runner/prepared/start-shape.ts";
import { createRunFolder } from "#sandbox-runner/process/run-folder.ts";
import { type Command, type Place, startProcess } from "#sandbox-runner/process/spawn.ts";
import { Sandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import type { StandIn } from "#sandbox-runner/sandbox/stand-in.ts";
import { practised } from "./support/practised.ts";
import { ENVIRONMENT, runOrder } from "./support/run-order.ts";

/** Answers what it is asked; to a task it says all that it was told. Once it waits it refuses what its argument names. */
const PROGRAM = `const told = [];
const refused = process.argv[1];
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  const say = (said) => console.log(JSON.stringify(said));
  const { type, request_id, request } = message;
  told.push(request?.subtype ?? type);
  ${practised()}
  const isRefused = refused === request?.subtype && told.length > 3;
  const response = { subtype: isRefused ? "error" : "success", request_id, response: { told: told.length } };
  say(type === "user" ? { type: "told", told } : { type: "control_response", response });
});`;
const RUN = {
  id: "run_1",
  token: "token",
  variables: { REVEILLE_RUN_ID: "run_1", REVEILLE_SESSION_URL: "http://localhost:1" },
};
const PRACTICE = ["user", "rewind_conversation"];
const BEFORE = [
  ...["initialize", "apply_flag_settings", "initialize"],
  ...[...PRACTICE, ...PRACTICE, ...PRACTICE],
  "mcp_status",
];

class Programs extends Sandbox {
  readonly kind = "sandbox-runtime";
  readonly #refused: string;
  asked: { command: Command; place: Place } | null = null;
  /** The first of them is its first request. */
  readonly lines: string[] = [];
  /** Settles when it is told something more, having answered its first request. */
  readonly begun = Promise.withResolvers<void>();
  /** With its exit code and signal. */
  readonly ended = Promise.withResolvers<unknown[]>();

  constructor(refused: string) {
    super();
    this.#refused = refused;
  }

  start(command: Command, place: Place) {
    this.asked = { command, place };
    const child = startProcess([process.execPath, "-e", PROGRAM, this.#refused], { cwd: "/", env: {} });
    once(child, "exit").then(this.ended.resolve, this.ended.reject);
    const write = child.stdin.write.bind(child.stdin);
    vi.spyOn(child.stdin, "write").mockImplementation((line) => {
      this.lines.push(String(line));
      if (this.lines.length > 1) this.begun.resolve();
      return write(line);
    });
    return child;
  }
}

/**
 * @param refused which request its program refuses once it waits. @param task what it is told of its run before that speaks to it.
 * @param isPractising whether the run comes before it has practised.
 */
async function takenAgent(refused = "nothing", task: SDKUserMessage | null = null, isPractising = false) {
  const state = mkdtempSync(join(tmpdir(), "reveille-taken-"));
  const folder = await createRunFolder(state, "executor-1", { pid: process.pid, startTime: null });
  const sandbox = new Programs(refused);
  const log = vi.fn();
  const ready = Promise.withResolvers<void>();
  const relayUrl = "http://localhost:1";
  const cache = { clones: new CloneCache(join(state, "clones")), instanceUrl: relayUrl };
  const made = { mark: "executor-1", sandbox, folder, relayUrl, cache, log, onReady: ready.resolve, onUnfit: () => {} };
  const agent = new PreparedAgent(made);
  onTestFinished(async () => {
    await agent.close();
    rmSync(folder.sockets, { recursive: true });
    rmSync(state, { recursive: true });
  });
  const ids = new IdMaker("0000000000", (bytes) => crypto.getRandomValues(bytes));
  const wanted = wantedOf(runOrder(ids, "none", [], { environment: { ...ENVIRONMENT, variables: {} } }));
  if (wanted === null) throw new Error("no agent can be prepared for it");
  agent.expect({ shape: wanted.shape, copy: null });
  await (isPractising ? sandbox.begun.promise : ready.promise);
  const prepared = await agent.takeFor(wanted, { ...RUN, task });
  if (prepared === null || sandbox.asked === null) throw new Error("none has waited");
  const { command, place } = sandbox.asked;
  const initialize: object = JSON.parse(sandbox.lines[0] ?? "").request;
  const ended = sandbox.ended.promise;
  /** Whether its calls are let through by its relay: null where they are. */
  const held = () => agent.standIn.heldUntil(callOf(agent.standIn));
  return { agent, prepared, folder, log, initialize, ended, held, start: () => prepared.start(command, place) };
}

function callOf({ id, token }: StandIn) {
  return { url: `/proxy/${id}/model/v1/messages?beta=true`, rawHeaders: ["authorization", `Bearer ${token}`] };
}

/** The program as its run's SDK has it. */
function spokenTo(program: Program | null) {
  if (program === null) throw new Error("it is gone");
  onTestFinished(() => void program.child.kill("SIGKILL"));
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  return {
    tell: (...messages: object[]) => program.stdin.write(messages.map((one) => `${JSON.stringify(one)}\n`).join("")),
    hears: async () => JSON.parse((await lines.next()).value ?? ""),
  };
}

const TASK = { type: "user" };
const asked = (request: object) => ({ type: "control_request", request_id: "own", request });

it("is not asked again what it has answered", async () => {
  const { start, initialize, log } = await takenAgent();
  const { tell, hears } = spokenTo(start());
  tell(asked(initialize), TASK);
  expect(await hears()).toEqual({
    type: "control_response",
    response: { subtype: "success", request_id: "own", response: { told: 3 } },
  });
  expect(await hears()).toEqual({ type: "told", told: [...BEFORE, "user"] });
  expect(log).not.toHaveBeenCalledWith("prepared_agent_unfit", expect.anything(), expect.anything());
});

it("is asked what differs, which is logged", async () => {
  const { start, initialize, log } = await takenAgent();
  const { tell, hears } = spokenTo(start());
  tell(asked({ ...initialize, appendSystemPrompt: "Be brief." }), TASK);
  expect(await hears()).toEqual({
    type: "control_response",
    response: { subtype: "success", request_id: "own", response: { told: BEFORE.length + 1 } },
  });
  expect(await hears()).toEqual({ type: "told", told: [...BEFORE, "initialize", "user"] });
  expect(log).toHaveBeenCalledWith("prepared_agent_unfit", expect.anything(), "warn");
});

it("is not there any more when its place has been taken down", async () => {
  const { agent, prepared, start } = await takenAgent();
  expect(prepared.isThere).toBe(true);
  await agent.close();
  expect(prepared.isThere).toBe(false);
  expect(start()).toBeNull();
});

it("is told which run it has when its first call is to be made, between two lines of its run's", async () => {
  const { prepared, start, initialize } = await takenAgent();
  const program = start();
  const { tell, hears } = spokenTo(program);
  tell(asked(initialize), TASK);
  await hears();
  expect(await hears()).toEqual({ type: "told", told: [...BEFORE, "user"] });
  const [half, rest] = ['{"type":', '"user"}\n'];
  program?.stdin.write(half);
  const told = prepared.tellRun();
  program?.stdin.write(rest);
  await hears();
  await told;
  tell(TASK);
  expect(await hears()).toEqual({ type: "told", told: [...BEFORE, "user", "user", "apply_flag_settings", "user"] });
});

it("that does not take its variables is ended", async () => {
  const { prepared, start, ended } = await takenAgent("apply_flag_settings");
  spokenTo(start());
  await prepared.tellRun();
  expect(await ended).toEqual([null, "SIGKILL"]);
});

it("is told nothing where its run has started another", async () => {
  const { prepared, ended } = await takenAgent();
  expect(prepared.start(["another"], { cwd: "/", env: {} })).toBeNull();
  await prepared.tellRun();
  expect(await ended).toEqual([null, "SIGKILL"]);
});

it("holds no call up that comes when it has ended", async () => {
  const { prepared, start, ended } = await takenAgent();
  const program = start();
  program?.stdin.end();
  await ended;
  await prepared.tellRun();
});

it("begins with its task before its run speaks to it, which hears all of it and need not tell it", async () => {
  const { start, initialize, log } = await takenAgent("nothing", userMessage("Look."));
  const { tell, hears } = spokenTo(start());
  expect(await hears()).toEqual({ type: "told", told: [...BEFORE, "user"] });
  tell(asked(initialize), userMessage("Look."), TASK);
  expect(await hears()).toMatchObject({ type: "control_response", response: { request_id: "own" } });
  expect(await hears()).toEqual({ type: "told", told: [...BEFORE, "user", "user"] });
  expect(log).not.toHaveBeenCalledWith("prepared_agent_unfit", expect.anything(), expect.anything());
});

it("is its run's where its task is no whole text", async () => {
  const { start, initialize, held } = await takenAgent("nothing", userMessage("Half a \ud800."));
  const { tell, hears } = spokenTo(start());
  tell(asked(initialize), userMessage("Half a \ud800."), TASK);
  for (const _ of ["its task", "its first request", "more"]) await hears();
  expect(held()).toBeNull();
});

it("is told which run it has before its task where that is a command, and not sooner", async () => {
  const { prepared, start, initialize, held } = await takenAgent("nothing", userMessage("/look"));
  const { tell, hears } = spokenTo(start());
  expect(held()).not.toBeNull();
  tell(asked(initialize), userMessage("/look"));
  await hears();
  expect(await hears()).toEqual({ type: "told", told: [...BEFORE, "apply_flag_settings", "user"] });
  await prepared.tellRun();
  tell(TASK);
  expect(await hears()).toEqual({ type: "told", told: [...BEFORE, "apply_flag_settings", "user", "user"] });
});

it("leaves nothing to another that its run has started, which may have its conversation's name", async () => {
  const { prepared, folder } = await takenAgent();
  mkdirSync(join(folder.home, "projects", "one"), { recursive: true });
  writeFileSync(join(folder.home, "projects", "one", "practice.jsonl"), "{}");
  writeFileSync(join(folder.temporary, "left"), "");
  expect(prepared.start(["another"], { cwd: "/", env: {} })).toBeNull();
  expect([readdirSync(folder.home), readdirSync(folder.temporary)]).toEqual([[], []]);
});

it("asks its model nothing before its run has told it the same task", async () => {
  const { start, initialize, held } = await takenAgent("nothing", userMessage("Look."));
  expect(held()).not.toBeNull();
  const { tell, hears } = spokenTo(start());
  await hears();
  tell(asked(initialize));
  await hears();
  expect(held()).not.toBeNull();
  const letThrough = held();
  tell(userMessage("Look."), TASK);
  await hears();
  await letThrough;
  expect(held()).toBeNull();
});

it.each<[string, (initialize: object) => object[]]>([
  ["another task", (initialize) => [asked(initialize), userMessage("Look elsewhere.")]],
  [
    "other instructions",
    (initialize) => [asked({ ...initialize, appendSystemPrompt: "Be brief." }), userMessage("Look.")],
  ],
])("that has begun is ended when its run has %s, and has asked its model nothing", async (_what, messages) => {
  const { start, initialize, held, ended, log } = await takenAgent("nothing", userMessage("Look."));
  const { tell } = spokenTo(start());
  tell(...messages(initialize));
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(held()).not.toBeNull();
  expect(log).toHaveBeenCalledWith("prepared_agent_unfit", expect.anything(), "warn");
});

it("asks its model nothing where its run starts another, and what is started then does", async () => {
  const { prepared, ended, held } = await takenAgent("nothing", userMessage("Look."));
  const calls = held();
  expect(prepared.start(["another"], { cwd: "/", env: {} })).toBeNull();
  expect(await calls).toBe(false);
  const others = held();
  expect(others).not.toBeNull();
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(await others).toBe(true);
  expect(held()).toBeNull();
});

it("is taken by a run that comes while it practises, which it then does no more", async () => {
  const { start } = await takenAgent("nothing", userMessage("Look."), true);
  const { hears } = spokenTo(start());
  const { told } = await hears();
  expect(told.at(-1)).toBe("user");
  expect(told.length).toBeLessThan(BEFORE.length);
});
