/** What a tool policy makes of a command, in a word or two. */
import { type ToolPolicy, toolPolicySchema } from "#protocol/tools.ts";
import { judgeCall } from "#rules/tools/judge-call.ts";

export const policy = (rules: Partial<ToolPolicy>): ToolPolicy => toolPolicySchema.parse(rules);

/** @returns what becomes of a command of the shell: `unclear` where a rule counts because it can't be told. */
export function judge(command: string, rules: Partial<ToolPolicy>, tool = "Bash"): string {
  const verdict = judgeCall(policy(rules), tool, { command });
  if (verdict.decision === "allow") return "allow";
  return verdict.isClear ? verdict.decision : `unclear ${verdict.decision}`;
}

export const PUSH = { deny: ["Bash(git push:*)"] };
