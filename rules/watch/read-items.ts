/** The items in what a connector has answered, each with what it is known by and its content as one text. Pure. */
import type { Json } from "#protocol/schema.ts";
import { findField } from "../filters/field-lookup.ts";

export interface ReadItem {
  /** Of whatever length. */
  key: string;
  /** The same text for the same content, in whatever order its properties, or items of the same key, stand. */
  content: string;
  /** For the agent. */
  text: string;
}

/** `detail` is a sentence for people. */
type ReadItems = { ok: true; items: ReadItem[] } | { ok: false; detail: string };

/** How many items one look takes. */
export const ITEMS_AT_MOST = 2_000;
const DEEPEST = 100;
/** What an answer is known by that is one item, and has no id. */
const WHOLE = "answer";

/** @param given the answer; `items` and `key` are paths, as the trigger has them. Items of one key are one item. */
export function readItems(
  given: Json,
  { items, key }: { items?: string | undefined; key?: string | undefined },
): ReadItems {
  if (isDeep(given)) return { ok: false, detail: `The answer is nested deeper than ${DEEPEST} levels.` };
  const found = listIn(given, items);
  if (!Array.isArray(found)) return { ok: false, detail: found.fault };
  if (found.length > ITEMS_AT_MOST) {
    const detail = `The answer has ${found.length} items, and a watch takes ${ITEMS_AT_MOST}: have its arguments ask for fewer.`;
    return { ok: false, detail };
  }
  const isOne = items === undefined && !Array.isArray(given);
  const keyed = found.map((item) => ({ item, key: keyOf(item, key) }));
  if (key !== undefined && keyed.length > 0 && keyed.every((one) => one.key === null)) {
    return { ok: false, detail: `No item has "${key}", which key names.` };
  }
  const byKey = new Map<string, Json[]>();
  for (const { item, key: own } of keyed) {
    const known = own ?? (isOne ? WHOLE : canonical(item));
    byKey.set(known, [...(byKey.get(known) ?? []), item]);
  }
  return { ok: true, items: [...byKey].map(([known, alike]) => asOne(known, alike)) };
}

/** What a list has twice counts once. */
function asOne(key: string, alike: readonly Json[]): ReadItem {
  const contents = new Map(alike.map((item) => [canonical(item), item]));
  const different = [...contents].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const [first] = different;
  const shown = different.length === 1 ? first?.[1] : different.map(([, item]) => item);
  return { key, content: different.map(([content]) => content).join("\n"), text: JSON.stringify(shown, null, 2) };
}

function listIn(given: Json, items: string | undefined): Json[] | { fault: string } {
  if (items === undefined) return Array.isArray(given) ? given : [given];
  const found = findField({ payload: given, fields: {} }, items);
  if (found.kind === "list") return found.items;
  const lack =
    found.kind === "missing" ? `There is no "${items}" in the answer` : `"${items}" is no list in the answer`;
  const lists = listsIn(given);
  return { fault: `${lack}. ${lists.length === 0 ? "It has no list" : `Its lists: ${lists.join(", ")}`}.` };
}

/** Paths of lists near the top, for whoever has written another. */
function listsIn(given: Json, prefix = "", levels = 3): string[] {
  if (given === null || typeof given !== "object" || Array.isArray(given) || levels === 0) return [];
  return Object.entries(given)
    .flatMap(([name, value]) => {
      const path = `${prefix}${name}`;
      return Array.isArray(value) ? [path] : listsIn(value, `${path}.`, levels - 1);
    })
    .slice(0, 5);
}

/** @returns null for an item that has none: null and an empty text are none. */
function keyOf(item: Json, key = "id"): string | null {
  const found = findField({ payload: item, fields: {} }, key);
  if (found.kind !== "one" || found.value === "") return null;
  return typeof found.value === "object" ? canonical(found.value) : String(found.value);
}

/** JSON with its properties in one order. */
function canonical(value: Json): string {
  return JSON.stringify(value, (_name, inner) => {
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}

function isDeep(value: Json): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) return true;
    level = level.flatMap((one) => (one !== null && typeof one === "object" ? Object.values(one) : []));
  }
  return false;
}
