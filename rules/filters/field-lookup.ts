/** Finds what a filter's field names in an event: a named field, or a dotted path into the payload. Pure. */
import { composed } from "#protocol/characters.ts";
import type { Json, JsonArray, JsonObject } from "#protocol/schema.ts";
import { FilterBudget, STEPS } from "./filter-budget.ts";

/** What rules see of an event. */
export interface FilteredEvent {
  payload: Json;
  /** By name, before the payload. */
  fields: Record<string, Json>;
}

export type Scalar = string | number | boolean;

/**
 * `items` of a list are all the values in it, those of lists within it too; null is no value. `spent`: it was not looked at, or
 * not to its end, for want of steps.
 */
export type Found =
  | { kind: "missing" }
  | { kind: "spent" }
  | { kind: "one"; value: Scalar | JsonObject }
  | { kind: "list"; items: (Scalar | JsonObject)[] };

const NOT_ASCII = /[^ -~]/;
const INDEX = /^(?:0|[1-9][0-9]*)$/;

/**
 * A path through a list without an index goes through all its items.
 * @param budget each value and each key that is looked at takes from it.
 */
export function findField({ payload, fields }: FilteredEvent, field: string, budget = new FilterBudget()): Found {
  const found = lookUp({ payload, fields }, field, budget);
  return budget.isSpent ? { kind: "spent" } : found;
}

function lookUp({ payload, fields }: FilteredEvent, field: string, budget: FilterBudget): Found {
  const named = ownKey(fields, field, budget);
  if (named !== null) return asFound([fields[named] ?? null], false, budget);
  return followPath(payload, field, budget);
}

function followPath(payload: Json, path: string, budget: FilterBudget): Found {
  let nodes: Json[] = [payload];
  let isList = false;
  const values: Json[] = [];
  let rest: string | null = path;
  while (rest !== null) {
    const key: string = rest.split(".", 1)[0] ?? "";
    const below: string | null = key.length < rest.length ? rest.slice(key.length + 1) : null;
    const next: Json[] = below === null ? values : [];
    for (const node of nodes) {
      if (budget.isSpent) return { kind: "spent" };
      budget.take(STEPS.value);
      if (!Array.isArray(node)) {
        step(node, key, rest, next, values, budget);
      } else if (INDEX.test(key)) {
        next.push(node[Number(key)] ?? null);
      } else {
        isList = true;
        for (const item of itemsOf(node, budget)) step(item, key, rest, next, values, budget);
      }
    }
    nodes = next;
    rest = below;
  }
  return asFound(values, isList, budget);
}

/** Looks at an object's own properties alone, not at inherited ones. A key with dots in it is found by its whole name. */
function step(node: Json, key: string, rest: string, next: Json[], values: Json[], budget: FilterBudget): void {
  if (node === null || typeof node !== "object" || Array.isArray(node)) return;
  const whole = ownKey(node, rest, budget);
  if (whole !== null) {
    values.push(node[whole] ?? null);
    return;
  }
  const own = ownKey(node, key, budget);
  if (own !== null) next.push(node[own] ?? null);
}

/** The key that an object has: as it is written, or one that says the same in other characters. */
function ownKey(object: JsonObject, key: string, budget: FilterBudget): string | null {
  if (Object.hasOwn(object, key)) return key;
  const wanted = composed(key);
  const keys = Object.keys(object);
  budget.take(keys.length * STEPS.key);
  if (budget.isSpent) return null;
  // What is all ASCII is written in one way alone, but for the sign of Kelvin and the like: those are composed here.
  return keys.find((one) => NOT_ASCII.test(one) && composed(one) === wanted) ?? null;
}

function asFound(values: readonly Json[], isThroughList: boolean, budget: FilterBudget): Found {
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
    for (const item of itemsOf(value, budget)) if (item !== null) items.push(item);
  }
  if (!isThere) return { kind: "missing" };
  const [first] = items;
  return isList || first === undefined ? { kind: "list", items } : { kind: "one", value: first };
}

/** Without recursion: a payload can hold lists in lists, deeper than the stack. It ends where the steps do. */
function* itemsOf(list: JsonArray, budget: FilterBudget): Generator<Exclude<Json, JsonArray>> {
  const open = [list.values()];
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    if (budget.isSpent) return;
    budget.take(STEPS.value);
    const { value, done } = inner.next();
    if (done === true) open.pop();
    else if (Array.isArray(value)) open.push(value.values());
    else yield value;
  }
}
