/**
 * A document of GraphQL as gh writes it, taken apart: its text without what a user's options change, by which it is known. gh puts
 * the fields that are asked for on one line, each of them a fixed text of its own; everything else of a document has several lines. Pure.
 */

export interface GhDocument {
  /** With `{*}` where fields stand, and without texts. */
  frame: string;
  /** Each field, as gh writes it. */
  fields: string[];
  /** The texts that stand in it. */
  literals: string[];
  /** Its name; empty where it has none. */
  operation: string;
}

const TEXT = /"(?:[^"\\]|\\.)*"/g;
const LENGTH_LIMIT = 50_000;

/** @returns null for what is too long, or not well formed. */
export function takeApart(document: string): GhDocument | null {
  if (document.length > LENGTH_LIMIT) return null;
  const literals: string[] = [];
  const plain = document.replace(TEXT, (text) => {
    literals.push(text.slice(1, -1));
    return '""';
  });
  const fields: string[] = [];
  const frame = framed(plain, fields);
  if (frame === null) return null;
  const operation = /^\s*(?:query|mutation)\s+(\w+)/m.exec(frame)?.[1] ?? "";
  return { frame, fields: [...new Set(fields)], literals, operation };
}

function framed(text: string, fields: string[]): string | null {
  let out = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "}") return null;
    out += char;
    if (char !== "{") continue;
    const end = closing(text, at);
    if (end === null) return null;
    const inside = text.slice(at + 1, end);
    const isList = !inside.includes("\n");
    if (isList) fields.push(...split(inside));
    const inner = isList ? "*" : framed(inside, fields);
    if (inner === null) return null;
    out += `${inner}}`;
    at = end;
  }
  return out;
}

function closing(text: string, open: number): number | null {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text.charAt(at) === "{") depth += 1;
    if (text.charAt(at) === "}") depth -= 1;
    if (depth === 0) return at;
  }
  return null;
}

/** At commas outside of all brackets. */
function split(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= list.length; at += 1) {
    const char = list.charAt(at);
    if ("{([".includes(char) && char !== "") depth += 1;
    if ("})]".includes(char) && char !== "") depth -= 1;
    if (at < list.length && (char !== "," || depth > 0)) continue;
    parts.push(list.slice(from, at).trim());
    from = at + 1;
  }
  return parts.filter((part) => part !== "");
}
