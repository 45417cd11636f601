/** What a schema finds wrong, in words for people: what is wanted, what was found, and the nearest known word. Pure. */
import type { z } from "zod";
import { characterCount, firstCharacters } from "#protocol/characters.ts";
import { nearestKey } from "./nearest-key.ts";

type Issue = z.core.$ZodIssue;

const KINDS: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
  null: "null",
};
/** The library's own messages; those that a schema has of its own are for people already. */
const LIBRARYS = /^(?:Invalid|Too (?:big|small)|Unrecognized)/;
/** So many known words are named where none is near. */
const NAMED = 30;

/** @param found what stands in that place. @param known the words of which one is wanted, where the issue does not say. */
export function faultWords(issue: Issue, found: unknown, known: readonly string[]): string {
  if (!LIBRARYS.test(issue.message)) return ownWords(issue, found);
  switch (issue.code) {
    case "invalid_type":
      return typeWords(issue.expected, found);
    case "invalid_value":
      return choiceWords(issue.values.map(String), found);
    case "invalid_union":
      return known.length > 0 ? choiceWords(known, found) : unionWords(issue, found);
    case "too_big":
      return sizeWords(issue.origin, "most", Number(issue.maximum), issue.inclusive !== false, found);
    case "too_small":
      return sizeWords(issue.origin, "least", Number(issue.minimum), issue.inclusive !== false, found);
    case "invalid_key":
      return `has a name that can't be: ${keyWords(issue.issues[0]?.message ?? "")}`;
    case "invalid_format":
      return `has another form than ${issue.format === "regex" ? "is wanted" : `a ${issue.format} has`}`;
    default:
      return "is not what is wanted here";
  }
}

/** A schema's own message names neither what was found nor the nearest word. */
function ownWords(issue: Issue, found: unknown): string {
  if (typeof found !== "string") return issue.message;
  const message = mayBeTold(issue, found) ? `${issue.message}, not ${quoted(found)}` : issue.message;
  const nearest = nearestKey(found, wordsOf(issue));
  return nearest === null ? message : `${message}; did you mean "${nearest}"?`;
}

/**
 * Names, times and addresses of another form are told, for then one sees the slip. Any other text is left out: it can be a secret,
 * as can what stands before the host of an address.
 */
function mayBeTold(issue: Issue, found: string): boolean {
  const isPlain = issue.code === "invalid_format" || (issue.code === "custom" && issue.params?.["tells"] === "found");
  return isPlain && issue.message.startsWith("must be ") && !/\/\/[^/]*@/.test(found);
}

function wordsOf(issue: Issue): readonly string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  return issue.code === "custom" && issue.params?.["choice"] === "time zones" ? Intl.supportedValuesOf("timeZone") : [];
}

function keyWords(message: string): string {
  return message === "" || LIBRARYS.test(message) ? "names here have another form" : message;
}

function typeWords(expected: string, found: unknown): string {
  if (expected === "int" && typeof found === "number") return `must be a whole number, not ${found}`;
  return `must be ${KINDS[expected] ?? "something else"}, not ${kindOf(found)}`;
}

function choiceWords(known: readonly string[], found: unknown): string {
  const [only] = known;
  const wanted =
    known.length === 1 ? `must be ${quoted(only ?? "")}` : `must be one of ${known.slice(0, NAMED).join(", ")}`;
  if (typeof found !== "string") return `${wanted}, not ${kindOf(found)}`;
  const nearest = known.length === 1 ? null : nearestKey(found, known);
  return `${wanted}, not ${quoted(found)}${nearest === null ? "" : `; did you mean "${nearest}"?`}`;
}

/** Of several forms none fits: all are named by their kind. */
function unionWords(issue: Extract<Issue, { code: "invalid_union" }>, found: unknown): string {
  const forms = issue.errors.flat().flatMap((one) => {
    if (one.path.length > 0) return [];
    if (one.code === "invalid_type") return KINDS[one.expected] ?? [];
    return one.code === "invalid_value" ? one.values.map((value) => quoted(String(value))) : [];
  });
  const wanted = [...new Set(forms)];
  if (wanted.length === 0) return "fits none of the forms that it can have";
  return `must be ${wanted.join(" or ")}, not ${kindOf(found)}`;
}

function sizeWords(origin: string, end: "most" | "least", bound: number, isInclusive: boolean, found: unknown): string {
  if (origin === "string") return textSize(end, bound, found);
  if (origin === "array" || origin === "set" || origin === "object") {
    if (end === "least" && bound === 1) return "must not be empty";
    const has = Array.isArray(found) ? `, and has ${found.length}` : "";
    return `must have at ${end} ${bound} ${bound === 1 ? "entry" : "entries"}${has}`;
  }
  const than = end === "most" ? "less than" : "more than";
  return `must be ${isInclusive ? `at ${end}` : than} ${bound}, not ${String(found)}`;
}

function textSize(end: "most" | "least", bound: number, found: unknown): string {
  if (end === "least" && bound === 1) return "must not be empty";
  const has = typeof found === "string" ? `, and has ${characterCount(found)}` : "";
  return `must have at ${end} ${bound} characters${has}`;
}

function kindOf(found: unknown): string {
  if (found === null) return "null";
  if (Array.isArray(found)) return "a list";
  return KINDS[typeof found] ?? "something else";
}

/** What was found comes from outside and can be as long as the body. */
function quoted(text: string): string {
  const shown = firstCharacters(text, 100);
  return JSON.stringify(shown === text ? text : `${shown}…`);
}
