/** Pure: a JSON value as text, whatever a model has nested in it. */
import type { Json } from "#protocol/schema.ts";

/** Deeper than anybody nests; each further level would indent every line within it once more. */
const DEEPEST_INDENTED = 20;
const TOO_DEEP = "(nested too deep to be shown)";

/** On as many lines as it has parts where it is not nested deep, else on one. */
export function jsonText(value: Json): string {
  return isDeep(value) ? jsonLine(value) : JSON.stringify(value, null, 2);
}

/** On one line. */
export function jsonLine(value: Json): string {
  try {
    return JSON.stringify(value);
  } catch {
    // It is written out by recursion, which has an end.
    return TOO_DEEP;
  }
}

function isDeep(value: Json): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST_INDENTED) return true;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return false;
}
