/** What becomes of calls that people are asked about: held, approved, refused, put off, and taken up again. */
import type { HookJSONOutput } from "@anthropic-ai/claude-agent-sdk";
import { expect, it } from "vitest";
import type { Answer, AskedQuestion, GivenAnswer } from "#protocol/question.ts";
import { ASK_TOOL, type ToolPolicy } from "#protocol/tools.ts";
import { hashOf } from "#sandbox-runner/agent/ask-tool.ts";
import { ToolGate } from "#sandbox-runner/agent/tool-gate.ts";

const POLICY: ToolPolicy = { deny: ["WebFetch"], ask: ["Bash(git push:*)"] };
const PUSH = { command: "git push" };
const APPROVED: Answer = {
  approve: true,
  by: { kind: "owner", id: null, name: "owner" },
  at: "2026-01-01T00:00:00.000Z",
};
const REFUSED: Answer = { ...APPROVED, approve: false, text: "Not on a Friday." };
const CHOSEN: Answer = { choice: "blue", by: APPROVED.by, at: APPROVED.at };

function gateWith(given: GivenAnswer | null = null, asks = true, isLost = false) {
  const asked: AskedQuestion[] = [];
  const gate = new ToolGate({
    policy: POLICY,
    asks,
    given,
    isLost,
    earlier: ["old"],
    onAsked: (question) => asked.push(question),
  });
  const stop = new AbortController();
  const hook = async (id: string, input: unknown, more: { tool?: string; agent_id?: string } = {}) => {
    const { tool = "Bash", ...who } = more;
    const own = gate.hooks?.PreToolUse?.[0]?.hooks[0];
    const base = { session_id: "s", transcript_path: "t", cwd: "/" };
    const told = { ...base, ...who, hook_event_name: "PreToolUse" as const, tool_name: tool, tool_input: input };
    return await own?.({ ...told, tool_use_id: id }, id, { signal: stop.signal });
  };
  const call = async (...given: Parameters<typeof hook>) => wordsOf(await hook(...given));
  const last = (id: string, input: Record<string, unknown>, tool = "Bash") =>
    gate.canUseTool(tool, input, { toolUseID: id, signal: stop.signal, requestId: "r" });
  return { gate, asked, hook, call, last, stop };
}

/** @returns `through`, or the decision and its reason. */
function wordsOf(output: HookJSONOutput | undefined): string {
  const specific = output !== undefined && "hookSpecificOutput" in output ? output.hookSpecificOutput : undefined;
  if (specific?.hookEventName !== "PreToolUse") return "through";
  return `${specific.permissionDecision}: ${specific.permissionDecisionReason ?? ""}`;
}

const given = (id: string, answer: Answer, input: unknown): GivenAnswer => ({
  question_id: id,
  input_hash: hashOf(input),
  tool: "Bash",
  answer,
});

it("holds a call until it is approved, and lets no other input through under its id", async () => {
  const { gate, asked, call, last } = gateWith();
  const pending = call("t1", PUSH);
  await expect.poll(() => asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ id: "t1", kind: "approval", call: { tool: "Bash", input: PUSH } });
  gate.answer(given("another", APPROVED, PUSH));
  expect(gate.asking).not.toBeNull();
  gate.answer(given("t1", APPROVED, PUSH));
  expect(await pending).toBe("through");
  expect(await last("t1", PUSH)).toMatchObject({ behavior: "allow" });
  expect(await last("t1", { command: "git push --force" })).toMatchObject({ behavior: "deny" });
  expect(await last("t2", PUSH)).toMatchObject({ behavior: "deny" });
  expect(await last("t2", { command: "ls" })).toMatchObject({ behavior: "allow" });
  expect(await last("t2", {}, "WebFetch")).toMatchObject({ behavior: "deny" });
});

it("lets no call through before what is to be done first is done, which is done once", async () => {
  const { gate, call } = gateWith();
  const done = Promise.withResolvers<void>();
  let times = 0;
  gate.doFirst(() => {
    times += 1;
    return done.promise;
  });
  const through: string[] = [];
  const calls = ["t1", "t2"].map(async (id) => through.push(await call(id, { command: "ls" })));
  await new Promise((go) => setImmediate(go));
  expect({ times, through }).toEqual({ times: 1, through: [] });
  done.resolve();
  await Promise.all(calls);
  expect(await call("t3", { command: "ls" })).toBe("through");
  expect({ times, through }).toEqual({ times: 1, through: ["through", "through"] });
});

it("tells the agent who refused a call, and why", async () => {
  const { gate, asked, call, last } = gateWith();
  const pending = call("t1", PUSH);
  await expect.poll(() => asked).toHaveLength(1);
  gate.answer(given("t1", REFUSED, PUSH));
  expect(await pending).toMatch(/^deny: owner refused the call: Not on a Friday\. /);
  expect(await last("t1", PUSH)).toMatchObject({ behavior: "deny" });
});

it("asks one question at a time, and none for subagents or of calls that can't be shown", async () => {
  const { gate, asked, call } = gateWith();
  const pending = call("t1", PUSH);
  await expect.poll(() => asked).toHaveLength(1);
  expect(await call("t2", PUSH)).toContain("one at a time");
  expect(await call("t3", { question: "Why?" }, { tool: ASK_TOOL })).toContain("one at a time");
  gate.putOff();
  expect(await pending).toBe("defer: ");
  expect(await call("t4", PUSH, { agent_id: "a1" })).toMatch(/^deny: Subagents/);
  expect(await call("t5", { command: `git push ${"x".repeat(70_000)}` })).toContain("too long");
  expect(asked).toHaveLength(1);
  expect(await gateWith(null, false).call("t6", PUSH)).toContain("can't be asked");
});

it("gives the answer to the tool by which the agent asked, once", async () => {
  const { gate, asked, call } = gateWith();
  const question = { question: "Which colour?", choices: ["red", "blue"], default: "red" };
  const pending = call("t1", question, { tool: ASK_TOOL });
  await expect.poll(() => asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ kind: "question", text: "Which colour?", choices: ["red", "blue"], default: "red" });
  gate.answer(given("t1", CHOSEN, question));
  expect(await pending).toBe("through");
  expect([gate.takeAnswer(), gate.takeAnswer()]).toEqual([CHOSEN, null]);
});

it("tells beside the call that was put off what its agent has to know, and once that it is taken up", async () => {
  const calls = { approved: APPROVED, refused: REFUSED };
  for (const [name, said] of Object.entries(calls)) {
    const { gate, hook } = gateWith(given("t1", said, PUSH));
    let takenUp = 0;
    gate.takesUp("<note>Restored.</note>\n\n", () => {
      takenUp += 1;
    });
    expect(JSON.stringify(await hook("t1", PUSH))).toContain("<note>Restored.</note>");
    expect(JSON.stringify(await hook("t2", { command: "ls" }))).toBe("{}");
    expect([name, takenUp]).toEqual([name, 1]);
  }
});

it("refuses what comes again from an earlier run, whatever the policy says of it", async () => {
  const { call, asked } = gateWith();
  expect(await call("old", PUSH)).toContain("earlier run");
  expect(await call("old", { command: "ls" })).toContain("earlier run");
  expect(asked).toEqual([]);
});

it("withdraws what an interrupt has stopped", async () => {
  const { asked, call, stop, gate } = gateWith();
  const pending = call("t1", PUSH);
  await expect.poll(() => asked).toHaveLength(1);
  stop.abort();
  expect(await pending).toContain("withdrawn");
  expect(gate.asking).toBeNull();
});

it("lets through what was approved before this attempt, if it is the same input, once", async () => {
  const { call, last, asked, gate } = gateWith(given("t1", APPROVED, PUSH));
  expect(await call("t1", PUSH)).toBe("through");
  expect(await last("t1", PUSH)).toMatchObject({ behavior: "allow" });
  const changed = gateWith(given("t1", APPROVED, PUSH));
  expect(await changed.call("t1", { command: "git push --force" })).toContain("not the one that was asked about");
  expect(changed.asked).toEqual([]);
  const again = call("t1", PUSH);
  await expect.poll(() => asked).toHaveLength(1);
  gate.putOff();
  expect(await again).toBe("defer: ");
});

it("asks no second time for a call that had been asked about on a machine that was lost, whatever its id", async () => {
  const { call, last, asked, gate } = gateWith(given("t1", APPROVED, PUSH), true, true);
  expect(await call("sub", PUSH, { agent_id: "a1" })).toContain("Subagents can't ask");
  expect(await call("t2", PUSH)).toBe("through");
  expect(await last("t2", PUSH)).toMatchObject({ behavior: "allow" });
  // For one call alone.
  const again = call("t3", PUSH);
  await expect.poll(() => asked).toHaveLength(1);
  gate.putOff();
  await again;

  const refused = gateWith(given("t1", REFUSED, PUSH), true, true);
  expect(await refused.call("t2", PUSH)).toContain("Not on a Friday.");
  expect(refused.asked).toEqual([]);

  for (const [input, tool] of [
    [{ command: "git push --force" }, "Bash"],
    [PUSH, "Monitor"],
  ] as const) {
    const other = gateWith(given("t1", APPROVED, PUSH), true, true);
    const pending = other.call("t2", input, { tool });
    await expect.poll(() => other.asked).toHaveLength(1);
    other.gate.putOff();
    await pending;
  }
});

it("knows an input whatever the order of its keys", () => {
  expect(hashOf({ a: 1, b: { c: [1, { e: 2, d: 3 }] } })).toBe(hashOf({ b: { c: [1, { d: 3, e: 2 }] }, a: 1 }));
  expect(hashOf({ a: 1 })).not.toBe(hashOf({ a: "1" }));
});
