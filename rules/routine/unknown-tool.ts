/** Pure: a tool policy may name only tools that agents can have. */
import { type Refusal, refuse } from "#protocol/errors.ts";
import type { RoutineDefinition } from "#protocol/routine.ts";
import { AGENT_TOOLS, EARLIER_TOOL_NAMES, readToolRule } from "#protocol/tools.ts";
import { matchesGlob } from "../tools/matches-glob.ts";
import { nearestKey } from "./nearest-key.ts";

const KNOWN = [...AGENT_TOOLS, ...Object.keys(EARLIER_TOOL_NAMES)];

/** @returns the refusal that names the first unknown tool; null when all are known. MCP servers are not looked into. */
export function unknownToolRefusal(tools: RoutineDefinition["tools"]): Refusal | null {
  for (const [list, rules = []] of Object.entries(tools)) {
    const place = rules.findIndex((rule) => !isKnown(readToolRule(rule)?.name ?? ""));
    const name = readToolRule(rules[place] ?? "")?.name;
    if (name === undefined) continue;
    const field = `tools.${list}[${place}]`;
    const nearest = nearestKey(name, KNOWN);
    const remedy = nearest === null ? `known: ${AGENT_TOOLS.join(", ")}` : `did you mean "${nearest}"?`;
    const message = `there is no tool "${name}"; ${remedy}`;
    const hint = `Tools of MCP servers are named mcp__SERVER__TOOL. Known beside those: ${AGENT_TOOLS.join(", ")}.`;
    return refuse("invalid_request", { message: `${field}: ${message}`, hint, field, issues: [{ field, message }] })
      .refusal;
  }
  return null;
}

function isKnown(name: string): boolean {
  return name.startsWith("mcp__") || KNOWN.some((known) => matchesGlob(known, name));
}
