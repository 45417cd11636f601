/** A routine's tool policy over the real agent: what is refused does not run, whoever calls for it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AskedQuestion } from "#protocol/question.ts";
import { ASK_TOOL, REPORT_TOOL } from "#protocol/tools.ts";
import { call, noticesOf } from "./support/agent-steps.ts";
import { Bed, bash, noSandbox, report } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { commandHook, seedSettings } from "./support/team-repository.ts";
import { until } from "./support/until.ts";

const DENY = { deny: ["Bash(touch denied:*)", "Write"], ask: [] };
const END = [report("done", "Done."), "Bye."];

describe.skipIf(noSandbox !== null)("a tool policy", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
    const skill = "---\nname: now\ndescription: Tells the time.\n---\nThe time: !`touch denied; date`\n";
    seedSettings(bed, "skilled", {}, { ".claude/skills/now/SKILL.md": skill });
    const hookSpecificOutput = { hookEventName: "PreToolUse", updatedInput: { command: "touch denied" } };
    const changing = commandHook(`echo '${JSON.stringify({ hookSpecificOutput })}'`, { matcher: "Bash" });
    seedSettings(bed, "hooked", { hooks: { PreToolUse: [changing] }, permissions: { deny: ["mcp__reveille"] } });
  });
  afterAll(() => bed.close());

  it("refuses what it denies, also to subagents and in a skill's text, and lets the rest through", async () => {
    const calls = ["true && touch denied", "ls"];
    bed.faults.set("", () => {
      const command = calls.shift();
      return command === undefined ? null : bash(command);
    });
    const run = bed.run(
      [
        bash("touch fine"),
        bash("echo a && touch denied"),
        call("Monitor", { command: "touch denied; echo x", description: "Watch", timeout_ms: 1_000 }),
        call("Write", { file_path: "denied", content: "" }),
        call("Agent", { description: "Look", prompt: "Look.", subagent_type: "general-purpose" }),
        "I wait for it.",
        call("Skill", { skill: "now" }),
        bash("ls"),
        ...END,
      ],
      ["skilled"],
      { tools: DENY },
    );
    const finished = await run.finished();
    expect(finished).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
    expect(errorsOf(run)).toEqual([
      expect.stringContaining("refuses the call: it is what its rule Bash(touch denied:*) is for"),
      expect.stringContaining("refuses the call"),
      expect.stringContaining("No such tool available: Write"),
      expect.stringContaining("refuses the call"),
    ]);
    expect(calls).toEqual([]);
    expect(lastResult(run, "Bash")).toBe("README.md\nfine");
    expect(noticesOf(run, "tool_refused")).toHaveLength(1);
  });

  it("has people asked, and goes on with their answer where it is", async () => {
    const ask = call(ASK_TOOL, { question: "Which colour?", choices: ["red", "blue"] });
    const steps = [bash("echo here > kept; echo $$"), ask, bash("touch approved"), bash("touch refused"), bash("ls")];
    const tools = { deny: [], ask: ["Bash(touch:*)"] };
    const run = bed.run([...steps, ...END], ["skilled"], { tools });
    const by = { kind: "owner" as const, id: null, name: "Ada" };
    const at = "2026-01-01T00:00:00.000Z";
    for (const [place, said] of [{ choice: "blue" }, { approve: true }, { approve: false, text: "No." }].entries()) {
      const question = await until("a question comes", () => questionsOf(run)[place] ?? null);
      const { id: question_id, input_hash } = question;
      run.say({ type: "answer", question_id, input_hash, tool: null, answer: { ...said, by, at } });
    }
    expect(await run.finished()).toMatchObject({ outcome: { status: "succeeded" }, seen: { tools_refused: 1 } });
    expect(questionsOf(run)).toMatchObject([
      { kind: "question", text: "Which colour?", choices: ["red", "blue"] },
      { kind: "approval", call: { tool: "Bash", input: { command: "touch approved" } } },
      { kind: "approval", text: "The agent asks to call Bash: touch refused" },
    ]);
    expect(lastResult(run, ASK_TOOL)).toBe("Ada answered: blue");
    expect(errorsOf(run)).toEqual([expect.stringContaining("Ada refused the call: No.")]);
    expect(lastResult(run, "Bash")).toBe("README.md\napproved\nkept");
  });

  it("asks for no call that a hook of the repository changes after it was approved", async () => {
    const tools = { deny: [], ask: ["Bash(touch:*)"] };
    const run = bed.run([bash("touch fine"), call("Read", { file_path: "denied" }), ...END], ["hooked"], { tools });
    const { id: question_id, input_hash } = await until("a question comes", () => questionsOf(run)[0] ?? null);
    const answer = { approve: true, by: null, at: "2026-01-01T00:00:00.000Z" };
    run.say({ type: "answer", question_id, input_hash, tool: null, answer });
    await run.finished();
    expect(errorsOf(run)).toEqual([
      expect.stringContaining("not the one that was asked about"),
      expect.stringContaining("File does not exist"),
    ]);
  });

  it("holds for a call that a hook of the repository has changed", async () => {
    const run = bed.run([bash("touch fine"), call("Read", { file_path: "denied" }), ...END], ["hooked"], {
      tools: DENY,
    });
    await run.finished();
    expect(errorsOf(run)).toEqual([
      expect.stringContaining("touch denied has been denied"),
      expect.stringContaining("File does not exist"),
    ]);
  });

  it("lets nothing through that its list does not have, but the report", async () => {
    const tools = { allow: ["Bash(ls:*)", "Read"], deny: [], ask: [] };
    const steps = [bash("ls -a && pwd"), bash("ls"), call("Edit", { file_path: "README.md" }), bash('eval "$x"')];
    const run = bed.run([...steps, ...END], ["skilled"], { tools });
    expect(await run.finished()).toMatchObject({ report: { result: "done" }, seen: { tools_refused: 2 } });
    expect(errorsOf(run)).toEqual([
      expect.stringContaining("lets only listed calls through"),
      expect.stringContaining("No such tool available: Edit"),
      expect.stringContaining("can't be told from its text"),
    ]);
    const offered = bed.conversations.get(run.order.task)?.[0]?.tools ?? [];
    expect(offered).toEqual(expect.arrayContaining(["Bash", "Read", REPORT_TOOL]));
    expect(offered).not.toEqual(expect.arrayContaining(["Write"]));
  });
});

function questionsOf(run: FakeRun): AskedQuestion[] {
  return run.stored.flatMap(({ body }) =>
    body.kind === "waiting" && body.question !== undefined ? [body.question] : [],
  );
}

/** What the agent was told of calls that failed or were refused, in order. */
function errorsOf(run: FakeRun): string[] {
  return run.events.flatMap((event) => (event.type === "tool.result" && event.is_error ? [event.text] : []));
}

function lastResult(run: FakeRun, tool: string): string | undefined {
  const last = run.events.findLast((event) => event.type === "tool.call" && event.name === tool);
  const id = last?.type === "tool.call" ? last.tool_call_id : "";
  const result = run.events.find((event) => event.type === "tool.result" && event.tool_call_id === id);
  return result?.type === "tool.result" ? result.text : undefined;
}
