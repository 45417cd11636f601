/** Reads what a source sent, and writes down what of it matters to the agent. Pure; nothing throws. */

import { firstCharacters } from "#protocol/characters.ts";
import type { Json, JsonObject } from "#protocol/schema.ts";
import { CONTEXT_LIMIT, type SourceReading } from "#protocol/source-event.ts";
import { oneSeenLine, SEEN } from "#protocol/unseen-characters.ts";
import { sha256Hex } from "#rules/sha256.ts";
import { parseExact } from "#worker/http/exact-json.ts";
import { isNestedDeeper } from "#worker/http/nesting.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
const SUMMARY_LIMIT = 200;
const NAME_LIMIT = 200;
const KEY_LIMIT = 255;

/** Deeper payloads are refused, because later steps walk through them recursively. */
export const NESTING_LIMIT = 100;

/** @returns the object, with the digits of its numbers; null when the body is not one in JSON, or is nested too deeply. */
export function jsonObject(body: Uint8Array): JsonObject | null {
  return objectOf(body, parseExact);
}

/** The same with all numbers as numbers, for what is decided by their kind before anybody is known to have sent it. */
export function plainObject(body: Uint8Array): JsonObject | null {
  return objectOf(body, JSON.parse);
}

function objectOf(body: Uint8Array, parse: (text: string) => Json): JsonObject | null {
  try {
    const text = decoder.decode(body);
    if (isNestedDeeper(text, NESTING_LIMIT)) return null;
    const value = parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What lies at a dotted path; undefined where there is nothing. Only a value's own keys are followed. */
export function valueAt(value: Json | undefined, path: string): Json | undefined {
  let current = value;
  for (const key of path.split(".")) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as JsonObject)[key];
  }
  return current;
}

/** The text at a path; null where there is none, or an empty one. */
export function textAt(value: Json | undefined, path: string): string | null {
  const found = valueAt(value, path);
  return typeof found === "string" && found !== "" ? found : null;
}

/** A name, number or yes-or-no at a path as text; null for everything else. */
export function wordAt(value: Json | undefined, path: string): string | null {
  const found = valueAt(value, path);
  return typeof found === "number" || typeof found === "boolean" ? String(found) : textAt(value, path);
}

/** Cuts at a whole character, and says so with an ellipsis. @param limit in UTF-16 units. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = limit - 1;
  const isSplit = /[\uD800-\uDBFF]/.test(text.charAt(end - 1));
  return `${text.slice(0, isSplit ? end - 1 : end)}…`;
}

/** Cuts as `cut` does, by characters: as the limits of names are told, and as triggers have them. */
function cutCharacters(text: string, limit: number): string {
  const shown = firstCharacters(text, limit);
  return shown === text ? text : `${firstCharacters(text, limit - 1)}…`;
}

/**
 * Lines `label: value` for the agent; longer texts stand on lines of their own. What is null is left out.
 * @param facts what matters most comes first: what does not fit into `CONTEXT_LIMIT` is cut off at the end.
 */
export function contextOf(facts: readonly (readonly [label: string, value: string | null])[]): string {
  const lines = facts.flatMap(([label, value]) => {
    if (value === null) return [];
    return value.includes("\n") ? [`${label}:`, value, ""] : [`${label}: ${value}`];
  });
  return cut(lines.join("\n").trimEnd(), CONTEXT_LIMIT);
}

/**
 * A source's own id as it can be stored and compared: as it is, or the digest of one that is too long or no Unicode. Cut, two
 * ids could become one, and dropped, one could become two.
 * @returns null for none, and for an empty one.
 */
export function identityOf(id: string | null): string | null {
  if (id === null || id === "") return null;
  // JSON writes half of a pair of surrogates as an escape: two that differ in it stay two.
  return id.length <= KEY_LIMIT && id.isWellFormed() ? id : `sha256:${sha256Hex(JSON.stringify(id))}`;
}

/**
 * A sender's name for its event as a trigger can write it, and a person read it: one line, with escapes in the place of controls
 * and without what nobody sees. What was sent stays in the payload.
 * @returns null where nothing of it can be seen.
 */
export function eventNameOf(sent: string | null): string | null {
  const name = sent === null ? "" : oneSeenLine(sent);
  return SEEN.test(name) ? name : null;
}

/** What an event is called that has no name of its own. */
export const UNTYPED = "event";

/** Makes names and summary of an event ones that can be shown, and cuts them to the lengths that the schema allows. */
export function readEvent(event: SourceReading): SourceReading {
  const action = eventNameOf(event.action);
  return {
    ...event,
    name: cutCharacters(eventNameOf(event.name) ?? UNTYPED, NAME_LIMIT),
    action: action === null ? null : cutCharacters(action, NAME_LIMIT),
    summary: cutCharacters(oneSeenLine(event.summary), SUMMARY_LIMIT).trim(),
    dedupe_key: identityOf(event.dedupe_key),
    context: event.context.toWellFormed(),
  };
}
