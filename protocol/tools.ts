/** A routine's tool policy: which calls of its agent are let through, which are refused, and which a person is asked about. */

import { z } from "zod";
import { ownValue } from "./own-value.ts";

/** How the names begin of what the runner itself gives to every agent, its report first of all. */
export const RUNNER_TOOL_PREFIX = "mcp__reveille__";
export const REPORT_TOOL = `${RUNNER_TOOL_PREFIX}report_result`;
/** By which an agent asks people. */
export const ASK_TOOL = `${RUNNER_TOOL_PREFIX}ask`;

/** Tools whose calls run a shell's commands: a rule for `Bash` is for all of them. */
export const SHELL_TOOL = "Bash";
export const SHELL_TOOLS: readonly string[] = [SHELL_TOOL, "Monitor"];

/** Claude Code's own tools, as rules name them. Those of MCP servers are `mcp__SERVER__TOOL`. */
export const AGENT_TOOLS: readonly string[] = [
  ...[
    "Agent",
    "Bash",
    "Edit",
    "EnterWorktree",
    "ExitWorktree",
    "Glob",
    "Grep",
    "LSP",
    "ListMcpResourcesTool",
    "Monitor",
  ],
  ...["NotebookEdit", "PushNotification", "Read", "ReadMcpResourceTool", "RemoteTrigger", "SendMessage", "Skill"],
  ...["TaskCreate", "TaskGet", "TaskList", "TaskOutput", "TaskStop", "TaskUpdate", "TodoWrite", "ToolSearch"],
  ...["WebFetch", "WebSearch", "Workflow", "Write"],
];
/** Names that some tools had before, and the agent's program still takes. */
export const EARLIER_TOOL_NAMES: Readonly<Record<string, string>> = {
  Task: "Agent",
  KillShell: "TaskStop",
  BashOutput: "TaskOutput",
};

/** A rule, taken apart: a tool's name, and for a shell which commands. */
export interface ToolRule {
  /** With `*` for any characters. */
  name: string;
  /** The words of a command; null where the rule is for every call. */
  words: string[] | null;
  /** Whether more words may come after these. */
  isPrefix: boolean;
}

const RULE = /^([^()\s]+)(?:\(([\s\S]*)\))?$/;
const NAME = /^[A-Za-z_*][\w*.-]*$/;

/** @returns null where a text is no rule; `toolRuleFault` says why. */
export function readToolRule(text: string): ToolRule | null {
  const [, written = "", pattern] = RULE.exec(text) ?? [];
  if (toolRuleFault(text) !== null) return null;
  const name = ownValue(EARLIER_TOOL_NAMES, written) ?? written;
  if (pattern === undefined || pattern === "*") return { name, words: null, isPrefix: true };
  const open = /(?::\*| \*)$/.exec(pattern);
  const words = (open === null ? pattern : pattern.slice(0, open.index)).split(/ +/);
  return { name, words, isPrefix: open !== null };
}

/** @returns what is wrong with a rule, in words for people; null when nothing is. */
export function toolRuleFault(text: string): string | null {
  const [, name, pattern] = RULE.exec(text) ?? [];
  if (name === undefined || !NAME.test(name)) {
    return 'must be a tool\'s name, such as "WebFetch" or "mcp__linear__*", or commands of the shell, as "Bash(git push:*)"';
  }
  if (name === REPORT_TOOL) return "can't be for the tool by which every agent reports its result";
  if (pattern === undefined) return null;
  if (!SHELL_TOOLS.includes(name)) {
    return `has a pattern in parentheses, which only rules for ${SHELL_TOOL} have: write "${name}" for all its calls`;
  }
  if (pattern !== pattern.trim() || pattern === "")
    return `must have a command in its parentheses, as "${name}(git push:*)"`;
  if (/[;&|<>()$`'"\\\n\t]/.test(pattern)) {
    return "must name one command by its plain words: without quotes, variables, redirections, and signs such as && or |, which are looked through by themselves";
  }
  return null;
}

const ruleSchema = z
  .string()
  .max(200)
  .refine((text) => toolRuleFault(text) === null, { error: ({ input }) => toolRuleFault(String(input)) ?? "" })
  .meta({
    id: "ToolRule",
    description:
      "A tool's name, with `*` for any characters, or commands of the shell: `Bash(git push:*)` for all that begin with these words, `Bash(npm test)` for this one alone.",
    examples: ["WebFetch", "Bash(git push:*)", "mcp__linear__*"],
  });
const rulesSchema = z.array(ruleSchema).max(100);

/** Which calls of its agent a routine lets through. */
export const toolPolicySchema = z
  .strictObject({
    allow: rulesSchema.optional().meta({ description: "Where it is there, no other call is let through." }),
    deny: rulesSchema.default([]).meta({ description: "Refused; counts before `ask` and `allow`." }),
    ask: rulesSchema
      .default([])
      .meta({ description: "Let through when a person has approved it; counts before `allow`." }),
  })
  .meta({ id: "ToolPolicy" });
export type ToolPolicy = z.infer<typeof toolPolicySchema>;

/** Lets everything through. */
export const NO_TOOL_POLICY: ToolPolicy = { deny: [], ask: [] };

/** Whether a policy decides about anything. */
export function isToolPolicy({ allow, deny, ask }: ToolPolicy): boolean {
  return allow !== undefined || deny.length > 0 || ask.length > 0;
}
