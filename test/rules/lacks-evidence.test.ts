import { describe, expect, it } from "vitest";
import { type Evidence, NO_EVIDENCE, type RunResult } from "#protocol/run.ts";
import { lacksEvidence } from "#rules/run/lacks-evidence.ts";
import { showListed } from "#rules/run/record.ts";
import { apply, finished, STATES } from "./support/run-states.ts";

const PUSH = { repository: "https://github.com/acme/app", branch: "claude/a", commit: "a".repeat(40), previous: null };
const CASES: [name: string, result: RunResult | null, seen: Partial<Evidence>, isMarked: boolean][] = [
  ["done and nothing seen", "done", {}, true],
  ["turns and calls alone", "done", { turns: 9, tool_calls: 30, model_calls: 31 }, true],
  ["a changed file", "done", { files_changed: 1 }, false],
  ["a pushed commit", "done", { commits_pushed: 1 }, false],
  ["a pushed branch without a new commit", "done", { branches_pushed: [PUSH] }, false],
  ["a shown file", "done", { files_shown: 1 }, false],
  ["nothing to do", "nothing_to_do", {}, false],
  ["blocked", "blocked", {}, false],
  ["no report", "unknown", {}, false],
  ["still on", null, {}, false],
];

describe("a report of done without evidence", () => {
  it.each(CASES)("%s", (_name, result, seen, isMarked) => {
    expect(lacksEvidence(result, { ...NO_EVIDENCE, ...seen })).toBe(isMarked);
  });

  it("is marked in the transcript and in the run, until a push is told late", () => {
    const input = finished({ status: "succeeded" }, "done");
    if (input.type === "finished") input.frame.seen.files_changed = 0;
    const { state, events } = apply(STATES.running, input);
    expect(events).toMatchObject([{ type: "run.finished", result: "done", evidence_missing: true }]);
    expect(showListed(state.run)).toMatchObject({ result: "done", evidence_missing: true });
    const late = { ...state.run, evidence: { ...state.run.evidence, branches_pushed: [PUSH] } };
    expect(showListed(late)).not.toHaveProperty("evidence_missing");
    expect(showListed(STATES.succeeded.run)).not.toHaveProperty("evidence_missing");
  });
});
