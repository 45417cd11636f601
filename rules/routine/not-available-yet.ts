/** Pure: keys of a routine that are described but not served by this version are refused by name, not as unknown. */
import { type Refusal, refuse } from "#protocol/errors.ts";
import { FUTURE_ROUTINE_KEYS } from "#protocol/not-available-yet.ts";

/** @returns the refusal that names the first such key, or null when there is none. */
export function futureKeyRefusal(body: unknown): Refusal | null {
  for (const pattern of FUTURE_ROUTINE_KEYS) {
    const field = findField(body, pattern.split("."), "");
    if (field !== null) return refusal(field, `${field} is not available yet.`);
  }
  return null;
}

/** @param parts a pattern's parts: `limits`, `budget_usd`, or `repositories[]`, `push`. */
function findField(value: unknown, [part, ...rest]: string[], prefix: string): string | null {
  if (part === undefined) return prefix;
  const key = part.replace("[]", "");
  const inner = ownValue(value, key);
  if (inner === undefined) return null;
  const field = prefix === "" ? key : `${prefix}.${key}`;
  if (!part.endsWith("[]")) return findField(inner, rest, field);
  if (!Array.isArray(inner)) return null;
  for (const [place, item] of inner.entries()) {
    const found = findField(item, rest, `${field}[${place}]`);
    if (found !== null) return found;
  }
  return null;
}

function ownValue(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

function refusal(field: string, message: string): Refusal {
  return refuse("not_available_yet", { field, message }).refusal;
}
