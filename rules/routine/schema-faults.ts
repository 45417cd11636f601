/** Pure: what a schema finds wrong with an input, told so that a person can mend it. */
import { z } from "zod";
import type { Refusal } from "#protocol/errors.ts";
import { nearestKey } from "./nearest-key.ts";

interface Issue {
  field: string;
  message: string;
}

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
  const isMissing = issue.path.length > 0 && isWithin && valueAt(input, issue.path) === undefined;
  return [{ field: fieldName(issue.path), message: isMissing ? "is required" : issue.message }];
}

function unknownKeyMessage(key: string, known: readonly string[]): string {
  const nearest = nearestKey(key, known);
  const remedy = nearest === null ? `known keys: ${known.join(", ")}` : `did you mean "${nearest}"?`;
  return `is not a known key; ${remedy}`;
}

/** `repositories[0].url`; the whole input is called `body`. */
function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "body";
  return path
    .map((part, place) =>
      typeof part === "number" ? `[${part}]` : `${place === 0 ? "" : "."}${shorten(String(part))}`,
    )
    .join("");
}

/** A key comes from outside and can be as long as the body. */
function shorten(key: string): string {
  return key.length <= 100 ? key : `${key.slice(0, 100)}…`;
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
  let current: unknown = chosen(schema, input);
  for (const [place, part] of path.entries()) {
    const inner: unknown =
      current instanceof z.ZodObject
        ? Reflect.get(current.shape, part)
        : current instanceof z.ZodArray
          ? current.element
          : undefined;
    current = chosen(inner, valueAt(input, path.slice(0, place + 1)));
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
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
