/** What models answer, well and badly: one run of the real agent for each. Faults of docs/errors.md are in test/runner/fault-table.e2e.ts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { call, noticesOf } from "../runner/support/agent-steps.ts";
import { Bed, bash, noSandbox, report, type Script } from "../runner/support/bed.ts";

interface Answers {
  kind: string;
  script: Script;
  /** An error's code, and what its message says; by default there is none. */
  error?: [code: string, says: string];
  /** Of the report; null for none. By default done, or none with an error. */
  result?: string | null;
  /** Codes of notices that the transcript has, among others. */
  notices?: string[];
  /** How the model is asked at its first calls, in place of the script. */
  faults?: (ReplyPlan | null)[];
  order?: { turns: number };
}

const fault = (status: number, type: string, message: string, headers: Record<string, string> = {}): ReplyPlan => {
  return { kind: "error", status, type, message, headers };
};
const busy = fault(529, "overloaded_error", "Busy.");
const cut = (text: string): ReplyPlan => ({ kind: "message", text, stopReason: "max_tokens" });
const refusal: ReplyPlan = { kind: "message", text: "", stopReason: "refusal" };
const done = [report("done", "Done."), "Bye."];
/** Tasks of subagents, by which their model's calls are known. */
const LOOKS = [1, 2].map((number) => `Follow script 00000000-0000-4000-8000-00000000000${number}.`);
const subagents: ReplyPlan = {
  kind: "message",
  toolCalls: LOOKS.map((prompt) => {
    const input = { description: "Look", prompt, subagent_type: "general-purpose" };
    return { name: "Agent", input };
  }),
};

const rows: Answers[] = [
  { kind: "words alone", script: ["Nothing to say."], result: null },
  { kind: "a command and a report", script: [bash("echo 1"), ...done] },
  {
    kind: "that there is nothing to do",
    script: [report("nothing_to_do", "All is well."), "Bye."],
    result: "nothing_to_do",
  },
  { kind: "that it is blocked", script: [report("blocked", "No access."), "Bye."], result: "blocked" },
  { kind: "two reports, of which the last counts", script: [report("blocked", "x"), ...done] },
  { kind: "a report that is none of the results", script: [report("perfect", "x"), ...done] },
  {
    kind: "half of a surrogate pair",
    script: [bash("echo 1", "lone \ud800"), report("done", "half \udc00"), "Bye \udbff"],
  },
  { kind: "a tool that there is not", script: [call("Teleport", {}), ...done] },
  { kind: "a tool's input of the wrong form", script: [call("Bash", { commando: 1 }), ...done] },
  { kind: "a command that fails", script: [bash("exit 3"), ...done] },
  {
    kind: "several commands at once",
    script: [
      { kind: "message", toolCalls: [1, 2, 3].map((n) => ({ name: "Bash", input: { command: `echo ${n}` } })) },
      ...done,
    ],
  },
  { kind: "one answer that is cut, and goes on", script: [cut("On"), ...done] },
  {
    kind: "answers that are cut for ever",
    script: Array(12).fill(cut("On")),
    error: ["model_max_tokens", "max_tokens"],
    notices: ["model_error"],
  },
  {
    kind: "refusals",
    script: [bash("echo 1"), refusal, refusal],
    error: ["model_refusal", "refusal"],
    notices: ["model_error"],
  },
  {
    kind: "a rule that forbids the call",
    script: [fault(403, "permission_error", "No such tool.")],
    error: ["model_request_refused", "No such tool."],
    notices: ["model_error"],
  },
  {
    kind: "that there is no such model",
    script: [fault(404, "not_found_error", "model: x")],
    error: ["model_request_refused", "model"],
    notices: ["model_error"],
  },
  {
    kind: "a request that is not valid",
    script: [fault(400, "invalid_request_error", "messages: too few")],
    error: ["model_request_refused", "messages: too few"],
    notices: ["model_error"],
  },
  {
    kind: "a limit that passes",
    script: done,
    faults: [fault(429, "rate_limit_error", "Slow down.", { "retry-after": "1" })],
    notices: ["model_retry"],
  },
  {
    kind: "an error of its own, once",
    script: done,
    faults: [fault(500, "api_error", "Oops.")],
    notices: ["model_retry"],
  },
  {
    kind: "busy in the middle of the work",
    script: [bash("echo 1"), ...done],
    faults: [null, busy],
    notices: ["model_retry"],
  },
  {
    kind: "more turns than there may be",
    script: [bash("echo 1"), bash("echo 2"), bash("echo 3")],
    order: { turns: 2 },
    error: ["turns_exhausted", ""],
  },
  { kind: "the end of its own program", script: [bash("kill -9 $PPID")], error: ["agent_failed", ""] },
];

describe.skipIf(noSandbox !== null)("a model that answers", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
  });
  afterAll(() => bed.close());

  it.each(rows)("$kind", async ({ script, error, notices = [], faults = [], order = {}, ...row }) => {
    const run = bed.run(script, [], order);
    const left = faults.values();
    bed.faults.set(run.order.task, () => left.next().value ?? null);
    const ending = await run.finished(100_000);
    const outcome =
      error === undefined
        ? { status: "succeeded" }
        : { status: "failed", error: { code: error[0], phase: "agent", message: expect.stringContaining(error[1]) } };
    expect(ending.outcome).toMatchObject(outcome);
    expect(ending.report?.result ?? null).toBe(
      row.result === undefined ? (error === undefined ? "done" : null) : row.result,
    );
    for (const code of notices) expect(noticesOf(run, code).length, code).toBeGreaterThan(0);
  });

  it("two subagents at once, and each of their calls tells whose it is", async () => {
    const run = bed.run([subagents, ...done]);
    for (const [number, look] of LOOKS.entries()) {
      const calls = [bash(`echo ${number}`)].values();
      bed.faults.set(look, () => calls.next().value ?? null);
    }
    expect((await run.finished(100_000)).report?.result).toBe("done");
    const agents = run.events.flatMap((event) => (event.type === "tool.call" && event.name === "Agent" ? [event] : []));
    expect(agents).toHaveLength(LOOKS.length);
    for (const [number, { tool_call_id: parent }] of agents.entries()) {
      const input = expect.objectContaining({ command: `echo ${number}` });
      expect(run.events).toContainEqual(expect.objectContaining({ type: "tool.call", parent, input }));
      expect(run.events).toContainEqual(expect.objectContaining({ type: "tool.result", parent, text: `${number}` }));
    }
  });
});
