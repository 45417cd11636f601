/** Lines of what the agent is told: short facts on one line each, and texts that people wrote, cut. Pure. */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { printExact } from "#worker/http/exact-json.ts";
import { cut, textAt, valueAt, wordAt } from "../payload.ts";

export type Line = readonly [label: string, value: string | null];

/** Facts stand before texts, so that no text can pass for a fact that comes after it. */
export interface Told {
  facts: readonly Line[];
  texts: readonly Line[];
}

const FACT_LIMIT = 500;
const ITEMS_LIMIT = 50;

/** One line, whatever its text holds: a line break in it would begin a line of its own. */
export function fact(label: string, payload: Json | undefined, path: string): Line {
  return [label, oneLine(wordAt(payload, path))];
}

export function list(label: string, items: readonly string[]): Line {
  const shown = items.slice(0, ITEMS_LIMIT).join(", ");
  return [label, items.length === 0 ? null : oneLine(items.length > ITEMS_LIMIT ? `${shown}, …` : shown)];
}

export function oneLine(text: string | null): string | null {
  if (text === null) return null;
  const line = cut(text, FACT_LIMIT).replace(/\s+/gu, " ").trim();
  return line === "" ? null : line;
}

/** What people wrote, with its line breaks. @param limit in characters. */
export function text(label: string, payload: Json | undefined, path: string, limit: number): Line {
  const found =
    textAt(payload, path)
      ?.slice(0, limit * 2)
      .trim() ?? "";
  return [label, found === "" ? null : cut(found, limit).replaceAll("\r\n", "\n")];
}

/** What has no shape that is known: as JSON, without what only programs need. */
export function json(label: string, payload: JsonObject, path: string, limit: number): Line {
  const found = valueAt(payload, path);
  if (found === undefined || found === null) return [label, null];
  try {
    return [label, cut(printExact(found, 2, isNoise), limit)];
  } catch {
    // Nested deeper than it can be written down.
    return [label, null];
  }
}

/** GitHub's things each carry tens of addresses of its API. */
function isNoise(key: string, value: Json): boolean {
  if (value === null || key === "node_id" || key === "_links" || key === "gravatar_id") return true;
  return key.endsWith("_url") && key !== "html_url";
}
