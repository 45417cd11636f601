/** A run that waits gives its sandbox up, and goes on in another one: rows that each upgrade of the Agent SDK has to hold. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { query } from "@anthropic-ai/claude-agent-sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer, AskedQuestion } from "#protocol/question.ts";
import type { FrameBody, RunOrder } from "#protocol/runner-link.ts";
import { ASK_TOOL } from "#protocol/tools.ts";
import { ToolGate } from "#sandbox-runner/agent/tool-gate.ts";
import { createMessagesServer } from "#scripts/demo-model/messages-api.ts";
import { call } from "./support/agent-steps.ts";
import { Bed, bash, endless, noSandbox, report, type Script } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { processesWith } from "./support/processes.ts";
import { filesOf, goOn, newSession } from "./support/sessions.ts";
import { until } from "./support/until.ts";
import { seedUpstream } from "./support/upstream.ts";

const BY = { kind: "owner", id: null, name: "Ada" } as const;
const AT = "2026-01-01T00:00:00.000Z";
const END = [report("done", "Done."), "Bye."];
const ASK = call(ASK_TOOL, { question: "Which colour?", choices: ["red", "blue"] });
const TOUCH = { deny: [], ask: ["Bash(touch:*)"] };

let bed: Bed;
beforeAll(async () => {
  bed = await Bed.make();
  seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
});
afterAll(() => bed.close());

function begin(script: Script, changes: Partial<RunOrder> = {}): FakeRun {
  return steered(bed.run(script, ["app"], { ...newSession(), ...changes }));
}

function steered(run: FakeRun): FakeRun {
  run.features = ["steer", "tools", "park"];
  return run;
}

function frame<Kind extends FrameBody["kind"]>(run: FakeRun, kind: Kind): Promise<Extract<FrameBody, { kind: Kind }>> {
  const isIt = (body: FrameBody): body is Extract<FrameBody, { kind: Kind }> => body.kind === kind;
  return until(`a frame ${kind}`, () => run.stored.map(({ body }) => body).find(isIt));
}

async function asked(run: FakeRun): Promise<AskedQuestion> {
  const { question } = await frame(run, "waiting");
  if (question === undefined) throw new Error("It asks nothing.");
  return question;
}

/** The run's next attempt. */
function next(
  run: FakeRun,
  putOff: string | null,
  given: { question: AskedQuestion; said: Partial<Answer> } | null,
  order: Partial<RunOrder> = {},
): FakeRun {
  const answer =
    given === null
      ? null
      : {
          question_id: given.question.id,
          input_hash: given.question.input_hash,
          tool: given.question.call?.tool ?? null,
          answer: { by: BY, at: AT, ...given.said },
        };
  const changes = { continues: { put_off: putOff }, answer, tools: run.order.tools, ...order };
  return steered(goOn(bed, [run], "The task again.", { order: changes, resume: { calls: [] } }));
}

async function ended(run: FakeRun) {
  await frame(run, "idle");
  run.say({ type: "close" });
  return await run.finished();
}

function requestsOf(run: FakeRun): string[] {
  return (bed.conversations.get(run.order.task) ?? []).map(({ messages }) => messages);
}

function resultsOf(run: FakeRun): string[] {
  return run.events.flatMap((event) => (event.type === "tool.result" ? [event.text] : []));
}

describe.skipIf(noSandbox !== null)("a run whose sandbox is given up", () => {
  it("goes on with the answer to its question in a fresh home, when its runner has gone", async () => {
    const work = `echo kept > kept.txt; ${endless("parked-work")} & echo begun`;
    const run = begin([bash(`(${work}) >/dev/null 2>&1; echo begun`), ASK, bash("cat kept.txt"), ...END]);
    const question = await asked(run);
    run.say({ type: "park" });
    // It comes too late for this attempt.
    run.say({ type: "message", n: 1, id: "m1", text: "Meanwhile.", by: BY });
    expect((await run.finished()).outcome).toEqual({ status: "parked", put_off: question.id });
    expect(processesWith("parked-work")).toEqual([]);
    expect(requestsOf(run)).toHaveLength(2);
    await bed.runner.stop();
    await bed.restartRunner();
    const later = next(run, question.id, { question, said: { choice: "blue" } });
    expect(await ended(later)).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
    expect(resultsOf(later)[0]).toContain("Ada answered: blue");
    expect(resultsOf(later)[1]).toBe("kept");
    const [, , third = ""] = requestsOf(run);
    expect(third).toContain("are as you left them");
    expect(third).not.toContain("The task again.");
    expect(third).not.toContain("Meanwhile.");
  });
});

describe.skipIf(noSandbox !== null)("a run that went on without its sandbox", { concurrent: true }, () => {
  it.each<[string, Partial<Answer>, string[]]>([
    ["makes a call that was approved", { approve: true }, ["README.md\napproved"]],
    ["does not make one that was refused", { approve: false, text: "No." }, ["README.md"]],
  ])("%s, and is told of what was restored", async (_name, said, listed) => {
    const run = begin([bash("touch approved"), bash("ls"), ...END], { tools: TOUCH });
    const question = await asked(run);
    run.say({ type: "park" });
    expect((await run.finished()).outcome).toEqual({ status: "parked", put_off: question.id });
    const later = next(run, question.id, { question, said });
    expect(await ended(later)).toMatchObject({ outcome: { status: "succeeded" } });
    expect(resultsOf(later)[1]).toBe(listed[0]);
    if (said.approve === false) expect(resultsOf(later)[0]).toContain("Ada refused the call: No.");
    const [, second = ""] = requestsOf(run);
    expect(second).toContain("goes on in a new run on a new machine");
    expect(second).not.toContain("The task again.");
    expect(later.stored.filter(({ body }) => body.kind === "running")).toHaveLength(1);
    expect(later.stored.filter(({ body }) => body.kind === "waiting")).toEqual([]);
  });

  it("does not make a call that is not the one that was approved", async () => {
    const run = begin([bash("touch approved"), bash("ls"), ...END], { tools: TOUCH });
    const question = await asked(run);
    run.say({ type: "park" });
    await run.finished();
    const later = next(run, question.id, { question, said: { approve: true } });
    const texts = [...filesOf([run]).values()].map((text) => text.replaceAll("touch approved", "touch tampered"));
    const { workspace } = bed.instance.earlier.get(later.order.run_id) ?? { workspace: null };
    bed.instance.earlier.set(later.order.run_id, { texts, workspace });
    await ended(later);
    expect(resultsOf(later).slice(0, 2)).toEqual([
      expect.stringContaining("not the one that was asked about"),
      "README.md",
    ]);
  });

  it("does not make a call of an earlier run that nobody had answered", async () => {
    const run = begin([bash("touch approved"), bash("ls"), ...END], { tools: TOUCH });
    const question = await asked(run);
    run.say({ type: "park" });
    await run.finished();
    const order = { continues: null, tools: run.order.tools };
    const calls = [{ tool_call_id: question.id, name: "Bash", input: "{}" }];
    const later = steered(goOn(bed, [run], "Do something else.", { order, resume: { calls } }));
    await ended(later);
    expect(resultsOf(later).slice(0, 2)).toEqual([expect.stringContaining("earlier run"), "README.md"]);
    expect(requestsOf(run).at(-1)).toContain("Do something else.");
    expect(later.stored.filter(({ body }) => body.kind === "waiting")).toEqual([]);
  });

  it("goes on with a message where its turn was stopped", async () => {
    const run = begin([bash(endless("stopped-work")), bash("echo on"), ...END]);
    await run.event("tool.call");
    run.say({ type: "interrupt", n: 1 });
    await frame(run, "waiting");
    run.say({ type: "park" });
    expect((await run.finished()).outcome).toEqual({ status: "parked", put_off: null });
    const later = next(run, null, null);
    await later.event("run.step");
    later.say({ type: "message", n: 2, id: "m2", text: "Go on, please.", by: BY });
    expect(await frame(later, "took")).toEqual({ kind: "took", n: 2 });
    expect(await ended(later)).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
    const [, second = ""] = requestsOf(run);
    expect(second).toContain("Go on, please.");
    expect(second).not.toContain("The task again.");
  });
});

describe.skipIf(noSandbox !== null)("a run whose runner ends while it waits", () => {
  it("is left to another attempt, which is told the answer and what was lost", async () => {
    // Its program may have written the question down or not, and puts a message of its own behind one that it has.
    const run = begin([bash("touch lost"), ASK, bash("ls"), bash("ls"), ...END]);
    const question = await asked(run);
    await bed.runner.stop();
    expect((await run.finished()).outcome).toEqual({ status: "parked", put_off: null });
    await bed.restartRunner();
    const later = next(run, null, { question, said: { choice: "blue" } });
    expect(await ended(later)).toMatchObject({ outcome: { status: "succeeded" } });
    expect(resultsOf(later)[0]).toBe("README.md");
    const told = requestsOf(run).at(2) ?? "";
    expect(told).toContain("You had asked a question. Ada answered: blue");
    expect(told).toContain("Nothing of the earlier workspace was kept");
  });
});

describe.skipIf(noSandbox !== null)("a run whose runner is killed while a call waits to be approved", () => {
  it("makes the call that was approved, and nobody is asked again", async () => {
    const run = begin([], { tools: TOUCH });
    const plans = [bash("touch approved"), bash("touch approved"), bash("ls"), ...END];
    bed.faults.set(run.order.task, () => {
      const plan = plans.shift() ?? "Nothing is left to do.";
      return typeof plan === "string" ? { kind: "message", text: plan } : plan;
    });
    const question = await asked(run);
    bed.runner.signal("SIGKILL");
    await bed.runner.exit;
    await bed.restartRunner();
    const later = next(run, null, { question, said: { approve: true } });
    expect(await ended(later)).toMatchObject({ outcome: { status: "succeeded" } });
    expect(resultsOf(later)[1]).toBe("README.md\napproved");
    expect(later.stored.filter(({ body }) => body.kind === "waiting")).toEqual([]);
    expect(requestsOf(run).at(1)).toContain("nobody is asked once more");
  });
});

it("does not make a call whose judgement fails", async () => {
  const folder = mkdtempSync(join(tmpdir(), "reveille-gate-"));
  const cwd = join(folder, "work");
  mkdirSync(cwd);
  const model = await createMessagesServer({
    reply: ({ messages }) =>
      !messages.some(({ role }) => role === "assistant") ? bash("touch ran") : { kind: "message", text: "Bye." },
  });
  const gate = new ToolGate({
    ...{ policy: TOUCH, asks: true, given: null, isLost: false, earlier: [] },
    onAsked: () => {
      throw new Error("The link is gone.");
    },
  });
  const env = {
    ...{ PATH: process.env["PATH"], HOME: folder, CLAUDE_CONFIG_DIR: join(folder, "config"), IS_SANDBOX: "1" },
    ...{ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_AUTH_TOKEN: "none", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
  };
  const results: string[] = [];
  const agent = query({
    prompt: "Work.",
    options: {
      ...{ cwd, env, hooks: gate.hooks ?? {}, canUseTool: gate.canUseTool, settingSources: [], maxTurns: 5 },
      ...{ permissionMode: "bypassPermissions", allowDangerouslySkipPermissions: true },
    },
  });
  for await (const message of agent) {
    if (message.type === "user") results.push(JSON.stringify(message.message.content));
  }
  expect(results).toHaveLength(1);
  expect(results[0]).toContain("is_error");
  expect(existsSync(join(cwd, "ran"))).toBe(false);
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});
