/** Pure: a tool's name and the telling part of what it was asked, for one line. */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { jsonLine } from "./json-text.ts";

export interface ToolName {
  /** The MCP server that has the tool; null for the agent's own. */
  server: string | null;
  name: string;
}

/** `mcp__reveille__report_result` is the tool `report_result` of `reveille`. */
export function toolName(name: string): ToolName {
  // No pattern: a name is the model's, and one of many underscores must not take time with the square of their number.
  const end = name.startsWith(MCP) ? name.indexOf("__", MCP.length + 1) : -1;
  const tool = name.slice(end + 2);
  return end === -1 || tool === "" ? { server: null, name } : { server: name.slice(MCP.length, end), name: tool };
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
  "question",
  "description",
  "prompt",
];
const LINE_LENGTH = 300;
/** Of a longer text no more than this is looked at: it is cut before anything is searched in it. */
const LOOKED_AT = 4 * LINE_LENGTH;
const LINES = 4;
const MCP = "mcp__";
const RUN_FOLDER = /\/runs\/(?:executor-[0-9a-f]{18}|run_[0-9A-Z]{26}\.\d{1,4})\/(?:workspace\/)?(?=[^\s"'`;|&<>()])/g;
const PATH_LENGTH = 400;
/** What a path can have before its folder of runs, with nothing that ends a word. */
const PATH_BEFORE = /[^\s"'`;|&<>()=:,]*$/;

/** One line; empty when the input tells nothing. */
export function tellingInput(input: Json): string {
  const text = isObject(input) ? tellingField(input) : plainText(input);
  const lines = shortPaths(text.trimStart().slice(0, LOOKED_AT))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return cut(lines.slice(0, LINES).join(" ⏎ "));
}

/** A path below the run's own folder, which says nothing, as one from the workspace. */
export function shortPath(path: string): string {
  return path.replace(
    /^\/.{0,400}\/runs\/(?:executor-[0-9a-f]{18}|run_[0-9A-Z]{26}\.\d{1,4})\/(?:workspace\/)?(?=.)/,
    "",
  );
}

/** The same for each such path within a text, a command for instance. */
export function shortPaths(text: string): string {
  let short = "";
  let told = 0;
  for (const { index, 0: found } of text.matchAll(RUN_FOLDER)) {
    const around = text.slice(Math.max(told, index - PATH_LENGTH), index);
    const begin = index - around.length + around.search(PATH_BEFORE);
    // Looked at from its end, so that much text without such a folder costs nothing.
    if (text[begin] !== "/") continue;
    short += text.slice(told, begin);
    told = index + found.length;
  }
  return short + text.slice(told);
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
  return typeof input === "string" ? input : jsonLine(input);
}

function cut(line: string): string {
  return line.length <= LINE_LENGTH ? line : `${line.slice(0, LINE_LENGTH - 1)}…`;
}
