/** Finds what a filter's field names in an event: a named field, or a dotted path into the payload. Pure. */
import { composed } from "#protocol/characters.ts";
import type { Json, JsonArray, JsonObject } from "#protocol/schema.ts";

/** What rules see of an event. */
export interface FilteredEvent {
  payload: Json;
  /** By name, before the payload. */
  fields: Record<string, Json>;
}

export type Scalar = string | number | boolean;

/** `items` of a list are all the values in it, those of lists within it too; null is no value. */
export type Found =
  | { kind: "missing" }
  | { kind: "one"; value: Scalar | JsonObject }
  | { kind: "list"; items: (Scalar | JsonObject)[] };

const NOT_ASCII = /[^ -~]/;
const INDEX = /^(?:0|[1-9][0-9]*)$/;

/** A path through a list without an index goes through all its items. */
export function findField({ payload, fields }: FilteredEvent, field: string): Found {
  const named = ownKey(fields, field);
  if (named !== null) return asFound([fields[named] ?? null], false);
  return followPath(payload, field);
}

function followPath(payload: Json, path: string): Found {
  let nodes: Json[] = [payload];
  let isList = false;
  const values: Json[] = [];
  let rest: string | null = path;
  while (rest !== null) {
    const key: string = rest.split(".", 1)[0] ?? "";
    const below: string | null = key.length < rest.length ? rest.slice(key.length + 1) : null;
    const next: Json[] = below === null ? values : [];
    for (const node of nodes) {
      if (!Array.isArray(node)) {
        step(node, key, rest, next, values);
      } else if (INDEX.test(key)) {
        next.push(node[Number(key)] ?? null);
      } else {
        isList = true;
        for (const item of itemsOf(node)) step(item, key, rest, next, values);
      }
    }
    nodes = next;
    rest = below;
  }
  return asFound(values, isList);
}

/** Looks at an object's own properties alone, not at inherited ones. A key with dots in it is found by its whole name. */
function step(node: Json, key: string, rest: string, next: Json[], values: Json[]): void {
  if (node === null || typeof node !== "object" || Array.isArray(node)) return;
  const whole = ownKey(node, rest);
  if (whole !== null) {
    values.push(node[whole] ?? null);
    return;
  }
  const own = ownKey(node, key);
  if (own !== null) next.push(node[own] ?? null);
}

/** The key that an object has: as it is written, or one that says the same in other characters. */
function ownKey(object: JsonObject, key: string): string | null {
  if (Object.hasOwn(object, key)) return key;
  const wanted = composed(key);
  // What is all ASCII is written in one way alone, but for the sign of Kelvin and the like: those are composed here.
  return Object.keys(object).find((one) => NOT_ASCII.test(one) && composed(one) === wanted) ?? null;
}

function asFound(values: readonly Json[], isThroughList: boolean): Found {
  let isList = isThroughList;
  let isThere = false;
  const items: (Scalar | JsonObject)[] = [];
  for (const value of values) {
    if (value === null) continue;
    isThere = true;
    if (!Array.isArray(value)) {
      items.push(value);
      continue;
    }
    isList = true;
    for (const item of itemsOf(value)) if (item !== null) items.push(item);
  }
  if (!isThere) return { kind: "missing" };
  const [first] = items;
  return isList || first === undefined ? { kind: "list", items } : { kind: "one", value: first };
}

/** Without recursion: a payload can hold lists in lists, deeper than the stack. */
function* itemsOf(list: JsonArray): Generator<Exclude<Json, JsonArray>> {
  const open = [list.values()];
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    const { value, done } = inner.next();
    if (done === true) open.pop();
    else if (Array.isArray(value)) open.push(value.values());
    else yield value;
  }
}
