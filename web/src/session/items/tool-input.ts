/** Pure: what a tool was asked, as facts of a line each and as blocks of text. */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { type Language, languageOfFile } from "../text/code/languages.ts";
import { jsonText } from "../text/json-text.ts";
import { isObject, shortPaths } from "../text/tool-summary.ts";
import { visibleText } from "../text/visible-text.ts";

export interface ToolInput {
  facts: { label: string; text: string }[];
  blocks: { label: string; text: string; isTerminal: boolean; language: Language | null }[];
}

/** A text up to here is a fact, if it is one line. */
const FACT_LENGTH = 120;
/** Fields that are worth a block also when they are short. */
const BLOCKS = ["command", "content", "prompt"];

/** @param isExact every path is whole: what people decide on is what would be done. */
export function toolInput(input: Json, isExact = false): ToolInput {
  const asText = (value: Json) => {
    const text = typeof value === "string" ? value : jsonText(value);
    return isExact ? text : shortPaths(text);
  };
  if (!isObject(input)) {
    const block = { label: "Input", text: asText(input), isTerminal: false, language: null };
    return { facts: [], blocks: input === null ? [] : [block] };
  }
  const shown: ToolInput = { facts: [], blocks: [] };
  const change = changeIn(input);
  if (change !== null) shown.blocks.push({ label: "Change", text: change, isTerminal: true, language: null });
  for (const [field, value] of Object.entries(input)) {
    if (change !== null && (field === "old_string" || field === "new_string")) continue;
    const text = asText(value);
    const isFact = !BLOCKS.includes(field) && text.length <= FACT_LENGTH && !text.includes("\n");
    if (isFact) shown.facts.push({ label: asLabel(field), text });
    else shown.blocks.push({ label: asLabel(field), text, isTerminal: false, language: languageOf(field, input) });
  }
  return shown;
}

function languageOf(field: string, input: JsonObject): Language | null {
  if (typeof input[field] !== "string") return "json";
  if (field === "command") return "bash";
  return field === "content" ? fileLanguage(input) : null;
}

/** What a tool's answer is written in: a file that was read, or JSON. */
export function outputLanguage(name: string, input: Json, text: string): Language | null {
  if (name === "Read" && isObject(input)) return fileLanguage(input);
  return /^[{[]/.test(text) && /[}\]]$/.test(text.trimEnd().slice(-1)) ? "json" : null;
}

function fileLanguage({ file_path: path }: JsonObject): Language | null {
  return typeof path === "string" ? languageOfFile(path) : null;
}

/** An edit as a terminal would show it: what stays is plain, what goes is red, what comes is green. */
function changeIn({ old_string: before, new_string: after }: JsonObject): string | null {
  if (typeof before !== "string" || typeof after !== "string") return null;
  // The colours are given here: those that the text brings are none of them.
  const [old, fresh] = [visibleText(before).split("\n"), visibleText(after).split("\n")];
  const shorter = Math.min(old.length, fresh.length);
  let head = 0;
  while (head < shorter && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail += 1;
  return [
    ...old.slice(0, head).map((line) => `  ${line}`),
    ...old.slice(head, old.length - tail).map((line) => `\x1b[31m- ${line}\x1b[39m`),
    ...fresh.slice(head, fresh.length - tail).map((line) => `\x1b[32m+ ${line}\x1b[39m`),
    ...fresh.slice(fresh.length - tail).map((line) => `  ${line}`),
  ].join("\n");
}

/** `file_path` → `File path` */
function asLabel(field: string): string {
  const words = field.replaceAll("_", " ");
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}
