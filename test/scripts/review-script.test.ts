/** The offline demo model's script for reviews: what it says next, by what the tools have answered. */
import { describe, expect, test } from "vitest";
import { nextReply } from "#scripts/demo-model/next-reply.ts";
import { REVIEW_TASK } from "#scripts/demo-model/review-script.ts";
import { converse, TOOLS } from "./support/scripted-conversation.ts";

const TASK = `${REVIEW_TASK} to this repository.`;
const DIFF = `diff --git a/CHANGELOG.md b/CHANGELOG.md
--- a/CHANGELOG.md
+++ b/CHANGELOG.md
@@ -2,0 +3,4 @@
+## 0.3.0
+- Accept days (47b9377)
+- Stop at the largest unit (df069ef)
`;
const HAPPY = {
  commits: "a3de6dd docs: add 0.3.0 to the changelog",
  diff: DIFF,
  check: "47b9377 feat(parse): accept days\ndf069ef feat(format): stop",
};

test("reads the branch, what it changes, and whether the changelog's commits are there", () => {
  const { steps, calls, closing } = converse(HAPPY, { task: TASK });
  expect(steps).toEqual(["commits", "diff", "check", "mcp__reveille__report_result"]);
  expect(calls[2]?.["command"]).toContain("for commit in 47b9377 df069ef; do");
  expect(calls.at(-1)).toEqual({ result: "done", summary: closing });
  expect(closing).toBe(
    "Looked at one commit, one file (CHANGELOG.md): each of the 2 changelog entries names a commit that is in the history.",
  );
});

describe("endings by what the tools say", () => {
  test.each<[string, Record<string, string | { error: string }>, string, RegExp]>([
    ["a branch that can't be read", { commits: { error: "fatal: no main" } }, "blocked", /not be read: fatal: no main/],
    ["nothing beyond main", { commits: "" }, "nothing_to_do", /no commit that main does not have/],
    ["no entries", { ...HAPPY, diff: "diff --git a/x b/x\n+y\n" }, "done", /one file \(x\): no changelog entry/],
    [
      "a commit that is not there",
      { ...HAPPY, check: "47b9377 feat" },
      "done",
      /one changelog entry without .+ df069ef/,
    ],
    ["a history that can't be read", { ...HAPPY, check: { error: "error: disk" } }, "blocked", /read: error: disk/],
  ])("%s", (_what, answers, result, says) => {
    const { calls, closing } = converse(answers, { task: TASK });
    expect(calls.at(-1)).toEqual({ result, summary: closing });
    expect(closing).toMatch(says);
  });
});

describe("which script is kept", () => {
  const request = (text: string) => ({
    model: "m",
    tools: TOOLS.map((name) => ({ name })),
    messages: [{ role: "user" as const, content: [{ type: "text" as const, text }] }],
  });
  const stepOf = (text: string) => nextReply(request(text)).toolCalls?.[0]?.input["description"];

  test.each([
    [TASK, "List the commits that were pushed"],
    [
      `${TASK}\n\n<routine-fire-payload untrusted="true">\nx</routine-fire-payload>`,
      "List the commits that were pushed",
    ],
    ["Keep the changelog.", "Find the last release"],
    [`Keep it.\n\n<routine-fire-payload untrusted="true">\n${TASK}`, "Find the last release"],
    [`<routine-fire-payload untrusted="true">${TASK}`, "Find the last release"],
  ])("%j", (task, step) => {
    expect(stepOf(task)).toBe(step);
  });
});
