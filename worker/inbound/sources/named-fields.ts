/** Builds the named fields of an event: only those that it has, so that a filter's `exists` tells the truth. */
import type { Json } from "#protocol/schema.ts";
import { textAt } from "./payload.ts";

export function namedFields(fields: Record<string, Json | undefined>): Record<string, Json> {
  const known = Object.entries(fields).flatMap(([name, value]): [string, Json][] =>
    value === undefined || value === null ? [] : [[name, value]],
  );
  return Object.fromEntries(known);
}

/** The texts at one path of each item of a list, for instance the names of labels; null where the value is no list. */
export function textsOf(value: Json | undefined, path: string): string[] | null {
  if (!Array.isArray(value)) return null;
  return value.flatMap((item) => textAt(item, path) ?? []);
}

/** A list for people; null where there is nothing in it. */
export function listed(texts: readonly string[] | null): string | null {
  return texts === null || texts.length === 0 ? null : texts.join(", ");
}
