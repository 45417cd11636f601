/** Pure: what a schema finds wrong with an input, told so that a person can mend it. */
import { z } from "zod";
import { firstCharacters } from "#protocol/characters.ts";
import type { Refusal } from "#protocol/errors.ts";
import { escapeUnseen } from "#protocol/unseen-characters.ts";
import { faultWords } from "./fault-words.ts";
import { nearestKey } from "./nearest-key.ts";

interface Issue {
  field: string;
  message: string;
}

const PLAIN_KEY = /^[\p{L}\p{N}_$-]+…?$/u;
/** A body can be at fault in as many places as it has bytes: more than these help nobody. */
const ISSUE_LIMIT = 50;

/**
 * @param error what `schema.safeParse(input)` found.
 * @returns `invalid_request` with an issue per fault; the message names the first field.
 */
export function schemaRefusal(schema: z.ZodType, input: unknown, error: z.ZodError): Refusal {
  const issues = error.issues.flatMap((issue) => issuesOf(schema, input, issue)).slice(0, ISSUE_LIMIT);
  const [first = { field: "body", message: "is not valid" }] = issues;
  return { code: "invalid_request", message: `${first.field}: ${first.message}`, field: first.field, issues };
}

/** Several refusals as one, which is that of the first with all their issues; null where there is none. */
export function asOneRefusal(refusals: readonly (Refusal | null)[]): Refusal | null {
  const given = refusals.filter((refusal) => refusal !== null);
  const [first] = given;
  if (first === undefined || given.length === 1) return first ?? null;
  return { ...first, issues: given.flatMap(({ issues = [] }) => issues) };
}

function issuesOf(schema: z.ZodType, input: unknown, issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, input, issue.path);
    return issue.keys.slice(0, ISSUE_LIMIT).map((key) => ({
      field: fieldName([...issue.path, key]),
      message: unknownKeyMessage(key, known),
    }));
  }
  // What stands in a text, as lists in a query do, is not missing: the text is wrong.
  const isWithin = typeof valueAt(input, issue.path.slice(0, -1)) === "object";
  const found = valueAt(input, issue.path);
  if (issue.path.length > 0 && isWithin && found === undefined) {
    return [{ field: fieldName(issue.path), message: requiredMessage(issue, schema, input) }];
  }
  const inner = oneForm(issue, found);
  if (inner !== null) {
    return inner.flatMap((one) => issuesOf(schema, input, { ...one, path: [...issue.path, ...one.path] }));
  }
  const message = faultWords(
    issue,
    isWithin || issue.path.length === 0 ? found : outerText(input, issue.path),
    knownWords(schema, input, issue),
  );
  return [{ field: fieldName(isWithin ? issue.path : issue.path.slice(0, 1)), message }];
}

/** Of a choice it helps to know among what. */
function requiredMessage(issue: z.core.$ZodIssue, schema: z.ZodType, input: unknown): string {
  const known = issue.code === "invalid_value" ? issue.values.map(String) : knownWords(schema, input, issue);
  return known.length === 0 ? "is required" : `is required: ${known.join(", ")}`;
}

/** An item of a list that is written as one text. */
function outerText(input: unknown, path: readonly PropertyKey[]): unknown {
  const text = valueAt(input, path.slice(0, -1));
  const place = path.at(-1);
  return typeof text === "string" && typeof place === "number" ? text.split(",")[place]?.trim() : text;
}

/** Of a choice between forms the faults of the one that is meant: the only one whose kind is that of what was found. */
function oneForm(issue: z.core.$ZodIssue, found: unknown): z.core.$ZodIssue[] | null {
  if (issue.code !== "invalid_union" || typeof found !== "object" || found === null) return null;
  const meant = issue.errors.filter(
    (faults) => !faults.some(({ code, path }) => code === "invalid_type" && path.length === 0),
  );
  return meant.length === 1 ? (meant[0] ?? null) : null;
}

/** The words that decide between the forms of a union. */
function knownWords(schema: z.ZodType, input: unknown, issue: z.core.$ZodIssue): string[] {
  if (issue.code !== "invalid_union" || issue.discriminator === undefined) return [];
  const union = schemaAt(schema, input, issue.path.slice(0, -1));
  if (!(union instanceof z.ZodDiscriminatedUnion)) return [];
  const key = union.def.discriminator;
  return union.options.map(unwrapped).flatMap((option) => {
    const field: unknown = option instanceof z.ZodObject ? Reflect.get(option.shape, key) : undefined;
    if (field instanceof z.ZodLiteral) return [...field.values].map(String);
    return field instanceof z.ZodEnum ? field.options.map(String) : [];
  });
}

function unknownKeyMessage(key: string, known: readonly string[]): string {
  const nearest = nearestKey(key, known);
  const remedy = nearest === null ? `known keys: ${known.join(", ")}` : `did you mean "${nearest}"?`;
  return `is not a known key; ${remedy}`;
}

/** `repositories[0].url`; the whole input is called `body`. A key that can't be told from other text so is quoted: `tags["a b"]`. */
function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "body";
  return path
    .map((part, place) => {
      if (typeof part === "number") return `[${part}]`;
      const key = shorten(String(part));
      if (!PLAIN_KEY.test(key)) return `[${escapeUnseen(JSON.stringify(key))}]`;
      return place === 0 ? key : `.${key}`;
    })
    .join("");
}

/** A key comes from outside and can be as long as the body. */
function shorten(key: string): string {
  const shown = firstCharacters(key, 100);
  return shown === key ? key : `${shown}…`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** The keys that the schema knows at a path; of a union, those of the form that the input has chosen. */
function knownKeys(schema: z.ZodType, input: unknown, path: readonly PropertyKey[]): string[] {
  const found = chosen(schemaAt(schema, input, path), valueAt(input, path));
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}

/** The schema of a place; within a union that of the form that the input has chosen. */
function schemaAt(schema: z.ZodType, input: unknown, path: readonly PropertyKey[]): unknown {
  let current: unknown = unwrapped(schema);
  for (const [place, part] of path.entries()) {
    current = chosen(current, valueAt(input, path.slice(0, place)));
    const inner: unknown =
      current instanceof z.ZodObject
        ? Reflect.get(current.shape, part)
        : current instanceof z.ZodArray
          ? current.element
          : undefined;
    current = unwrapped(inner);
  }
  return current;
}

function chosen(schema: unknown, input: unknown): unknown {
  const plain = unwrapped(schema);
  if (!(plain instanceof z.ZodDiscriminatedUnion)) return plain;
  const key = plain.def.discriminator;
  const value = valueAt(input, [key]);
  return plain.options.map(unwrapped).find((option) => isForm(option, key, value));
}

/** Whether a form of a union is the one for a value of its discriminating key. */
function isForm(option: unknown, key: string, value: unknown): boolean {
  const field: unknown = option instanceof z.ZodObject ? Reflect.get(option.shape, key) : undefined;
  return field instanceof z.ZodType && field.safeParse(value).success;
}

function unwrapped(schema: unknown): unknown {
  let current = schema;
  while (current instanceof z.ZodOptional || current instanceof z.ZodNullable || current instanceof z.ZodDefault) {
    current = current.unwrap();
  }
  return current;
}
