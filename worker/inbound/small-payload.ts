/** Makes payloads small enough to be given to routines: a call to an object carries 32 MiB at most. Pure. */
import type { Json } from "#protocol/schema.ts";
import { isObject } from "./sources/payload.ts";

/** In UTF-16 units, of what is left. */
const LEFT_LIMIT = 4_194_304;
/** How much of texts, lists and objects is kept; the next is tried where the one before leaves too much. */
const BOUNDS = [
  { text: 65_536, items: 1_000 },
  { text: 4_096, items: 100 },
  { text: 256, items: 20 },
] as const;

/**
 * @returns the payload with long texts, lists and objects cut off after their beginnings; nothing of one that is long all
 * over.
 */
export function smallPayload(payload: Json): Json {
  for (const bounds of BOUNDS) {
    const small = cutDown(payload, bounds);
    if (JSON.stringify(small).length <= LEFT_LIMIT) return small;
  }
  return {};
}

function cutDown(value: Json, bounds: { text: number; items: number }): Json {
  if (typeof value === "string") return value.slice(0, bounds.text).toWellFormed();
  if (Array.isArray(value)) return value.slice(0, bounds.items).map((item) => cutDown(item, bounds));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).slice(0, bounds.items);
  return Object.fromEntries(entries.map(([key, item]) => [key, cutDown(item, bounds)]));
}
