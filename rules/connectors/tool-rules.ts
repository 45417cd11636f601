/** Which tools of a connector a routine's runs see and may call. Pure. */
import type { ConnectorToolRules } from "#protocol/connector.ts";
import { matchesGlob } from "../tools/matches-glob.ts";

/** What a run may do with a connector. */
export interface ToolAccess {
  rules: ConnectorToolRules;
  /** Tools of which the server said that they change nothing, when it was looked at last. */
  readOnly: ReadonlySet<string>;
}

/** @returns why a tool may not be called, in words that follow "it"; null where it may. */
export function toolFault({ rules, readOnly }: ToolAccess, tool: string): string | null {
  const { allow, deny = [], read_only } = rules;
  const named = (patterns: readonly string[]) => patterns.some((pattern) => matchesGlob(tool, pattern));
  if (deny.some((pattern) => matchesGlob(folded(tool), folded(pattern))))
    return "is in the routine's list of tools that it may not call";
  if (allow !== undefined && !named(allow)) return "is not in the routine's list of tools that it may call";
  if (read_only === true && !readOnly.has(tool)) {
    return "is not known to change nothing, and the routine may only read there";
  }
  return null;
}

/** A name as a server might take it that is not strict: what may not be called may not be called in another spelling either. */
export function folded(name: string): string {
  return name
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Z}]+/gu, "");
}
