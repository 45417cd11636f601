/** Whether a call of an agent's is let through, by its routine's tool policy. Pure. */
import { ownValue } from "#protocol/own-value.ts";
import {
  AGENT_TOOLS,
  EARLIER_TOOL_NAMES,
  REPORT_TOOL,
  RUNNER_TOOL_PREFIX,
  readToolRule,
  SHELL_TOOL,
  SHELL_TOOLS,
  type ToolPolicy,
  type ToolRule,
} from "#protocol/tools.ts";
import type { ShellCommand } from "./command-list.ts";
import { matchesClosely, mayMatch, namesInOrder } from "./match-command.ts";
import { matchesGlob } from "./matches-glob.ts";
import { callsOf, type ShellCalls } from "./shell-calls.ts";

export type CallVerdict =
  | { decision: "allow" }
  /** Whether the call is what the rule names, or only can't be told from it. */
  | { decision: "deny" | "ask"; rule: string; isClear: boolean }
  /** The policy lists what is let through, and not this. */
  | { decision: "deny"; rule: null; isClear: boolean };

interface Call {
  name: string;
  /** What its shell would run; null for a tool that runs none. */
  shell: ShellCalls | null;
}

/** @param input of the call, as the model gave it. */
export function judgeCall(policy: ToolPolicy, name: string, input: unknown): CallVerdict {
  if (name === REPORT_TOOL) return { decision: "allow" };
  const call = { name: ownValue(EARLIER_TOOL_NAMES, name) ?? name, shell: shellOf(name, input) };
  for (const decision of ["deny", "ask"] as const) {
    const hits = policy[decision].map((rule) => ({ rule, hit: hitBy(rule, call) }));
    const { rule, hit } = hits.find((one) => one.hit === "named") ?? hits.find((one) => one.hit === "unclear") ?? {};
    if (rule !== undefined) return { decision, rule, isClear: hit === "named" };
  }
  // What the runner gives to its agent reaches nothing that the agent would not.
  if (policy.allow === undefined || name.startsWith(RUNNER_TOOL_PREFIX) || isListed(policy.allow, call))
    return { decision: "allow" };
  return { decision: "deny", rule: null, isClear: call.shell?.isClear ?? true };
}

/** Those of the agent's own tools of which no call is let through: it need not be offered them. */
export function toolsNeverLetThrough({ allow, deny, ask }: ToolPolicy): string[] {
  const rulesFor = (rules: readonly string[], name: string) =>
    rules.map(readToolRule).filter((rule) => rule !== null && isFor(rule, name)) as ToolRule[];
  return AGENT_TOOLS.filter((name) => {
    if (rulesFor(deny, name).some(({ words }) => words === null)) return true;
    return allow !== undefined && rulesFor([...allow, ...ask], name).length === 0;
  });
}

/** Those of a list's rules that are for commands of the shell. */
export function shellRules(rules: readonly string[]): string[] {
  return rules.filter((rule) => (readToolRule(rule)?.words ?? null) !== null);
}

/** Those of a list's rules that the agent's program reads as they are meant here: for commands of the shell, or one of its own tools. */
export function programRules(rules: readonly string[]): string[] {
  return [...shellRules(rules), ...rules.filter((rule) => AGENT_TOOLS.includes(rule))];
}

/** Whether a policy decides about commands of the shell. */
export function isAboutShell({ allow, deny, ask }: ToolPolicy): boolean {
  if (allow !== undefined) return true;
  return [...deny, ...ask].map(readToolRule).some((rule) => rule !== null && isFor(rule, SHELL_TOOL));
}

function shellOf(name: string, input: unknown): ShellCalls | null {
  if (!SHELL_TOOLS.includes(name)) return null;
  const command = typeof input === "object" && input !== null ? Reflect.get(input, "command") : undefined;
  // Without one it runs nothing.
  return callsOf(typeof command === "string" ? command : "");
}

/** Whether a rule that refuses or asks is for a call: where that can't be told, it is. */
function hitBy(text: string, call: Call): "named" | "unclear" | null {
  const rule = readToolRule(text);
  if (rule === null || !isFor(rule, call.name)) return null;
  const { words, isPrefix } = rule;
  if (words === null || call.shell === null) return "named";
  const { commands, programs, isClear } = call.shell;
  if (commands.some((command) => mayMatch(words, isPrefix, command.words))) return "named";
  if (programs.some((program) => namesInOrder(words, program))) return "named";
  return isClear ? null : "unclear";
}

function isFor({ name, words }: ToolRule, called: string): boolean {
  if (words !== null) return SHELL_TOOLS.includes(called) && (name === SHELL_TOOL || name === called);
  if (called.startsWith(RUNNER_TOOL_PREFIX)) return name === called;
  if (name === SHELL_TOOL) return SHELL_TOOLS.includes(called);
  return matchesGlob(called, name) || isServer(name, called);
}

/** `mcp__linear` is all tools of that server. */
function isServer(name: string, called: string): boolean {
  return /^mcp__/.test(name) && called.startsWith(`${name}__`);
}

/** Whether a list of what is let through has all of a call. */
function isListed(allow: readonly string[], call: Call): boolean {
  const rules = allow.map(readToolRule).filter((rule) => rule !== null && isFor(rule, call.name)) as ToolRule[];
  if (rules.some(({ words }) => words === null)) return true;
  const { shell } = call;
  if (shell === null || !shell.isClear || shell.commands.length === 0) return false;
  const isListedCommand = (command: ShellCommand) =>
    rules.some(({ words, isPrefix }) => words !== null && matchesClosely(words, isPrefix, command));
  return shell.commands.every(isListedCommand);
}
