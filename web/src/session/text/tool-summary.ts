/** Pure: a tool's name and the telling part of what it was asked, for one line. */
import type { Json, JsonObject } from "#protocol/schema.ts";

export interface ToolName {
  /** The MCP server that has the tool; null for the agent's own. */
  server: string | null;
  name: string;
}

/** `mcp__reveille__report_result` is the tool `report_result` of `reveille`. */
export function toolName(name: string): ToolName {
  const [, server, tool] = /^mcp__(.+?)__(.+)$/.exec(name) ?? [];
  return server === undefined || tool === undefined ? { server: null, name } : { server, name: tool };
}

/** Which inputs tell most, the most telling first. */
const TELLING = [
  "command",
  "file_path",
  "notebook_path",
  "pattern",
  "query",
  "url",
  "path",
  "summary",
  "description",
  "prompt",
];
const LINE_LENGTH = 300;

/** One line; empty when the input tells nothing. */
export function tellingInput(input: Json): string {
  const text = isObject(input) ? tellingField(input) : plainText(input);
  return cut(
    text
      .trim()
      .split(/\s*\n\s*/, 4)
      .join(" ⏎ "),
  );
}

/** A path below the run's own folder, which says nothing, as one from the workspace. */
export function shortPath(path: string): string {
  return path.replace(/^\/.{0,400}\/runs\/run_[0-9A-Z]{26}\.\d{1,4}\/(?:workspace\/)?(?=.)/, "");
}

export function isObject(input: Json): input is JsonObject {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}

function tellingField(input: JsonObject): string {
  for (const field of TELLING) {
    const value = input[field];
    if (typeof value === "string" && value.trim() !== "") return field.endsWith("path") ? shortPath(value) : value;
  }
  return Object.keys(input).length === 0 ? "" : plainText(input);
}

function plainText(input: Json): string {
  if (input === null) return "";
  return typeof input === "string" ? input.slice(0, 4 * LINE_LENGTH) : JSON.stringify(input).slice(0, 4 * LINE_LENGTH);
}

function cut(line: string): string {
  return line.length <= LINE_LENGTH ? line : `${line.slice(0, LINE_LENGTH - 1)}…`;
}
